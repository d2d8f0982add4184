/**
 * What a person reads who has no GPU kernel yet.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { addIcon, Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React from 'react';

import { CommandIDs } from '../commandIds';
import { gpuKernelIcon } from '../icons';
import { run } from './run';

/**
 * What the first words need.
 */
export interface IEmptyStateProps {
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * What this is, and where to begin.
 */
export function EmptyState({ commands, trans }: IEmptyStateProps): JSX.Element {
  return (
    <div className="jp-GpuKernels-empty">
      <gpuKernelIcon.react tag="span" className="jp-GpuKernels-emptyIcon" />
      <p>
        {trans.__(
          'A GPU kernel is a notebook kernel with a framework such as TensorFlow, PyTorch or JAX in an environment of its own, built for this machine and shown to compute on its GPU before you use it.'
        )}
      </p>
      <Button className="jp-GpuKernels-button jp-mod-main" onClick={() => run(commands, trans, CommandIDs.create)}>
        <addIcon.react tag="span" />
        {trans.__('New GPU kernel')}
      </Button>
    </div>
  );
}
