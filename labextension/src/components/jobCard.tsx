/**
 * One job: what it does, how far it has come or how it ended, and its log.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, checkIcon, errorIcon, type LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { memo, useId, useState } from 'react';

import { explain } from '../explanation';
import { ago } from '../format';
import { isFinal } from '../jobStream';
import type { IGpuKernels, Job, JobState } from '../tokens';
import { jobTitle, stageWord, stateWord } from '../words';
import { JobLog } from './jobLog';
import { JobOutcome } from './jobOutcome';
import { JobProgress } from './jobProgress';
import { place } from './progress';

/**
 * What a job's card needs.
 */
export interface IJobCardProps {
  job: Job;
  model: IGpuKernels;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Take a job that is over away. */
  onDismiss: (id: string) => void;
}

/**
 * A job.
 */
export const JobCard = memo(function JobCard({ job, model, commands, trans, onDismiss }: IJobCardProps) {
  const titleId = useId();
  const cancelling = useCancelling(job, model);
  const over = isFinal(job);

  return (
    <li className="jp-GpuKernels-job" data-kind={job.kind} data-state={job.state} aria-labelledby={titleId}>
      <div className="jp-GpuKernels-jobHead">
        <h3 id={titleId}>{jobTitle(trans, job.kind, job.name)}</h3>
        {over ? (
          <Button
            className="jp-GpuKernels-button"
            small
            aria-label={trans.__('Dismiss “%1”', jobTitle(trans, job.kind, job.name))}
            onClick={() => onDismiss(job.id)}
          >
            {trans.__('Dismiss')}
          </Button>
        ) : (
          Private.canBeCancelled(job) && (
            <Button
              className="jp-GpuKernels-button"
              small
              // Disabled it would lose the focus.
              aria-disabled={cancelling.asked || undefined}
              aria-label={trans.__('Cancel “%1”', jobTitle(trans, job.kind, job.name))}
              onClick={() => cancelling.asked || cancelling.cancel()}
            >
              {trans.__('Cancel')}
            </Button>
          )
        )}
      </div>
      <Stage job={job} cancels={cancelling.asked} trans={trans} />
      <div className="jp-GpuKernels-jobBody">
        {!over && job.owner && !job.local && (
          <p className="jp-GpuKernels-faint">
            {trans.__('Done elsewhere: by process %1 on %2', job.owner.pid, job.owner.host)}
          </p>
        )}
        {over ? (
          <JobOutcome job={job} commands={commands} trans={trans} />
        ) : (
          <JobProgress job={job} labelledBy={titleId} trans={trans} />
        )}
        {cancelling.refusal !== null && !over && (
          <p role="alert" className="jp-GpuKernels-problem">
            {Private.said(trans, cancelling.refusal)}
          </p>
        )}
      </div>
      <JobLog job={job} model={model} trans={trans} />
    </li>
  );
});

/**
 * What is being done, in words; read aloud when it changes, which is a few times in the life of a job.
 */
function Stage({ job, cancels, trans }: { job: Job; cancels: boolean; trans: TranslationBundle }): JSX.Element {
  const over = isFinal(job);
  const where = over || cancels ? null : place(job);
  const icon = Private.ICONS[job.state];
  return (
    <p className="jp-GpuKernels-stage" data-tone={Private.TONES[job.state]}>
      {icon && <icon.react tag="span" className="jp-GpuKernels-tone" />}
      <span role="status">{cancels && !over ? trans.__('Cancelling…') : Private.doing(trans, job)}</span>
      {where && (
        <span className="jp-GpuKernels-step" title={trans.__('Step %1 of %2', where.step, where.of)}>
          <span aria-hidden="true">{`${where.step}/${where.of}`}</span>
          <span className="jp-GpuKernels-unseen">{trans.__('Step %1 of %2', where.step, where.of)}</span>
        </span>
      )}
      {over && <span className="jp-GpuKernels-step">{ago(job.finished)}</span>}
    </p>
  );
}

interface ICancelling {
  /** Whether it was asked for, and is not over. */
  asked: boolean;
  /** Why it was refused; `null` if it was not. */
  refusal: unknown;
  cancel: () => void;
}

function useCancelling(job: Job, model: IGpuKernels): ICancelling {
  const [asked, setAsked] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const cancel = () => {
    setAsked(true);
    setRefusal(null);
    model
      .cancel(job.id)
      .catch((reason: unknown) => setRefusal(reason))
      .finally(() => setAsked(false));
  };
  return { asked, refusal, cancel };
}

namespace Private {
  export const ICONS: Partial<Record<JobState, LabIcon>> = { succeeded: checkIcon, failed: errorIcon };

  export const TONES: Partial<Record<JobState, string>> = { succeeded: 'good', failed: 'bad' };

  /**
   * What a job is doing now, or how it ended.
   */
  export function doing(trans: TranslationBundle, job: Job): string {
    if (job.state === 'queued' && job.owner === null) {
      return trans.__('Waits for the next Jupyter server');
    }
    if (job.state !== 'running') {
      return stateWord(trans, job.state);
    }
    if (job.stage !== null) {
      return stageWord(trans, job.stage);
    }
    return stateWord(trans, job.state);
  }

  /**
   * An error in full.
   */
  export function said(trans: TranslationBundle, reason: unknown): string {
    const { message, cure } = explain(trans, reason);
    return cure ? trans._p('sentence and cure', '%1 %2', message, cure) : message;
  }

  /**
   * Whether this server can cancel a job: it must be its own, and nothing is irrevocable but removing.
   */
  export function canBeCancelled(job: Job): boolean {
    const irrevocable = job.kind === 'remove' && job.state === 'running';
    return job.local && !irrevocable;
  }
}
