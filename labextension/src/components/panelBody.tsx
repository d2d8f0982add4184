/**
 * What the panel shows, from top to bottom.
 */
import type { Kernel, KernelSpec, Session } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import React from 'react';

import type { LiveUsage } from '../liveUsage';
import type { IGpuKernels } from '../tokens';
import { useCatalogue } from './catalogue';
import { ErrorBanner } from './errorBanner';
import { JobList } from './jobList';
import { KernelList } from './kernelList';
import { Machine } from './machine';
import { MoreWays } from './moreWays';
import { usePaintMarks } from './paintMarks';
import { useChanges } from './signals';

/**
 * What the panel needs.
 */
export interface IPanelBodyProps {
  model: IGpuKernels;
  usage: LiveUsage;
  commands: CommandRegistry;
  kernels: Kernel.IManager;
  sessions: Session.IManager;
  specs: KernelSpec.IManager;
  trans: TranslationBundle;
  /** Changes whenever the panel is shown anew. */
  visit: number;
}

/**
 * The body of the panel.
 */
export function PanelBody(props: IPanelBodyProps): JSX.Element {
  const { model, usage, commands, kernels, sessions, specs, trans, visit } = props;
  useChanges(model.changed);
  usePaintMarks(model);
  const frameworks = useCatalogue(model);
  return (
    <>
      {(model.hardware || !model.error) && (
        <Machine
          hardware={model.hardware}
          usage={usage}
          frameworks={frameworks}
          commands={commands}
          kernels={kernels}
          sessions={sessions}
          trans={trans}
        />
      )}
      {model.error && <ErrorBanner error={model.error} model={model} trans={trans} />}
      {!model.isReady && !model.error && (
        <p className="jp-GpuKernels-loading" role="status">
          {trans.__('Reading the GPU kernels…')}
        </p>
      )}
      <JobList jobs={model.jobs} model={model} commands={commands} trans={trans} visit={visit} />
      <KernelList
        model={model}
        commands={commands}
        sessions={sessions}
        specs={specs}
        frameworks={frameworks}
        trans={trans}
      />
      {model.isReady && <MoreWays commands={commands} trans={trans} />}
    </>
  );
}
