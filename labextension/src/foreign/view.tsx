/**
 * The environments of this machine that were made elsewhere: to be adopted, and released again.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { useCallback, useEffect } from 'react';

import { useAnswer } from '../components/answer';
import { JobList } from '../components/jobList';
import { Explanation } from '../components/jobOutcome';
import { useKeptFocus } from '../components/keptFocus';
import { useChanges } from '../components/signals';
import { explain } from '../explanation';
import type { ForeignEnvironment, IGpuKernels } from '../tokens';
import { ForeignRow } from './row';

/**
 * What the view needs.
 */
export interface IForeignViewProps {
  model: IGpuKernels;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * The list.
 */
export function ForeignView({ model, commands, trans }: IForeignViewProps): JSX.Element {
  useChanges(model.changed);
  const question = useCallback(
    (signal: AbortSignal) => model.ask<ForeignEnvironment[]>(['foreign'], { signal }),
    [model]
  );
  const { value, failure, isAsking, ask } = useAnswer(question);
  useEffect(() => {
    const again = () => ask();
    model.jobEnded.connect(again);
    return () => {
      model.jobEnded.disconnect(again);
    };
  }, [model, ask]);
  const kept = useKeptFocus();
  // What has been released is no longer ready.
  const released = new Set(value?.filter(({ adopted }) => !adopted && !isAsking).map(({ prefix }) => prefix));
  return (
    <div className="jp-GpuKernels-View" aria-busy={isAsking} {...kept}>
      <header>
        <h1>{trans.__('Environments that were made elsewhere')}</h1>
        <p>
          {trans.__(
            'An environment that is adopted is started as GPU kernels are: with its own CUDA, and with the GPUs that it is given. Nothing else of it is changed, and it can be released again.'
          )}
        </p>
        <div className="jp-GpuKernels-actions">
          <Button
            className="jp-GpuKernels-button"
            aria-disabled={isAsking || undefined}
            onClick={() => isAsking || ask()}
          >
            <refreshIcon.react tag="span" className="jp-GpuKernels-tone" />
            {trans.__('Look again')}
          </Button>
        </div>
        <p role="status" className="jp-GpuKernels-faint">
          {isAsking ? trans.__('Looking…') : value ? trans._n('%1 environment', '%1 environments', value.length) : ''}
        </p>
      </header>
      {failure && (
        <div role="alert" className="jp-GpuKernels-View-failure">
          <Explanation {...explain(trans, failure.reason)} trans={trans} />
        </div>
      )}
      <JobList
        jobs={model.jobs.filter(
          ({ kind, state, source }) => kind === 'adopt' && !(state === 'succeeded' && released.has(source))
        )}
        model={model}
        commands={commands}
        trans={trans}
        visit={0}
      />
      {value && (
        <ul className="jp-GpuKernels-View-list">
          {value.map(item => (
            <ForeignRow key={item.prefix} environment={item} model={model} trans={trans} onChange={ask} />
          ))}
        </ul>
      )}
    </div>
  );
}
