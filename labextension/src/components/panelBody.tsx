/**
 * What the panel shows, from top to bottom.
 */
import type { KernelSpec, Session } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import React from 'react';

import type { IGpuKernels } from '../tokens';
import { ErrorBanner } from './errorBanner';
import { GpuLine } from './gpuLine';
import { JobList } from './jobList';
import { KernelList } from './kernelList';
import { usePaintMarks } from './paintMarks';
import { useChanges } from './signals';

/**
 * What the panel needs.
 */
export interface IPanelBodyProps {
  model: IGpuKernels;
  commands: CommandRegistry;
  sessions: Session.IManager;
  specs: KernelSpec.IManager;
  trans: TranslationBundle;
  /** Changes whenever the panel is shown anew. */
  visit: number;
}

/**
 * The body of the panel.
 */
export function PanelBody({ model, commands, sessions, specs, trans, visit }: IPanelBodyProps): JSX.Element {
  useChanges(model.changed);
  usePaintMarks(model);
  return (
    <>
      {(model.hardware || !model.error) && <GpuLine hardware={model.hardware} trans={trans} />}
      {model.error && <ErrorBanner error={model.error} model={model} trans={trans} />}
      {!model.isReady && !model.error && (
        <p className="jp-GpuKernels-loading" role="status">
          {trans.__('Reading the GPU kernels…')}
        </p>
      )}
      <JobList jobs={model.jobs} model={model} commands={commands} trans={trans} visit={visit} />
      <KernelList model={model} commands={commands} sessions={sessions} specs={specs} trans={trans} />
    </>
  );
}
