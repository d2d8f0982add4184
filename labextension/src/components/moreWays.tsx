/**
 * The ways to a kernel besides a new one, and where packages come from.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { memo } from 'react';

import { CommandIDs } from '../commandIds';
import { run } from './run';

/**
 * What the links need.
 */
export interface IMoreWaysProps {
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * Links at the foot of the panel.
 */
export const MoreWays = memo(function MoreWays({ commands, trans }: IMoreWaysProps): JSX.Element {
  const link = (id: string, label: string) => (
    <Button className="jp-GpuKernels-link" minimal onClick={() => run(commands, trans, id)}>
      {label}
    </Button>
  );
  return (
    <div className="jp-GpuKernels-ways">
      {link(CommandIDs.importFile, trans.__('Import a kernel…'))}
      {link(CommandIDs.adopt, trans.__('Adopt environments…'))}
      {link(CommandIDs.channels, trans.__('Package sources'))}
    </div>
  );
});
