/**
 * How far a job at work has come: a bar and its numbers.
 *
 * Every line has its place from the beginning, empty or not, so that nothing below moves while a job runs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useRef } from 'react';

import { bytes, duration, percent, rate } from '../format';
import type { Job } from '../tokens';
import { countPhrase } from '../words';
import { fraction, type IPace, pace, secondsLeft } from './progress';

/**
 * What the progress of a job needs.
 */
export interface IJobProgressProps {
  job: Job;
  /** Id of the element that says what the job does. */
  labelledBy: string;
  trans: TranslationBundle;
}

/**
 * A bar, determinate where anything is counted, and what was counted.
 */
export function JobProgress({ job, labelledBy, trans }: IJobProgressProps): JSX.Element {
  const { progress } = job;
  const left = secondsLeft(usePace(job), progress);
  const share = job.state === 'running' ? fraction(progress) : null;
  const arrived =
    progress.bytes_total > 0 ? trans.__('%1 of %2', bytes(progress.bytes_done), bytes(progress.bytes_total)) : '';
  const counted =
    progress.packages_total > 0
      ? countPhrase(trans, progress.unit, progress.packages_done, progress.packages_total)
      : '';
  return (
    <>
      <Bar share={share} text={arrived || counted} labelledBy={labelledBy} waits={job.state === 'queued'} />
      <div className="jp-GpuKernels-numbers">
        {Private.downloads(job) && (
          <>
            <span>{arrived}</span>
            <span>{arrived && progress.bytes_per_second > 0 ? rate(progress.bytes_per_second) : ''}</span>
          </>
        )}
        {Private.counts(job) && (
          <>
            <span>{counted}</span>
            <span>{left === null ? '' : trans.__('%1 left', duration(left))}</span>
          </>
        )}
      </div>
    </>
  );
}

interface IBarProps {
  share: number | null;
  text: string;
  labelledBy: string;
  waits: boolean;
}

function Bar({ share, text, labelledBy, waits }: IBarProps): JSX.Element {
  const values =
    share === null
      ? {}
      : {
          'aria-valuenow': Math.floor(share * 100),
          'aria-valuemin': 0,
          'aria-valuemax': 100,
          'aria-valuetext': text ? `${percent(share)}, ${text}` : percent(share)
        };
  return (
    <div
      className="jp-GpuKernels-bar"
      data-share={share === null ? (waits ? 'none' : 'unknown') : 'known'}
      role="progressbar"
      aria-labelledby={labelledBy}
      {...values}
    >
      {/* Scaled, not sized: that needs no layout. */}
      <div style={share === null ? undefined : { transform: `scaleX(${share})` }} />
    </div>
  );
}

/**
 * The pace of a job, told once for each of its snapshots.
 */
function usePace(job: Job): IPace {
  const last = useRef<{ revision: number; pace: IPace } | null>(null);
  if (last.current?.revision !== job.revision) {
    const next = pace(last.current?.pace ?? null, job.stage, job.progress, performance.now());
    last.current = { revision: job.revision, pace: next };
  }
  return last.current.pace;
}

namespace Private {
  /**
   * Whether a job may ever have bytes to tell.
   */
  export function downloads({ kind }: Job): boolean {
    return ['create', 'rebuild', 'edit', 'import', 'adopt'].includes(kind);
  }

  /**
   * Whether a job may ever have things to count.
   */
  export function counts(job: Job): boolean {
    return downloads(job) || ['benchmark', 'clone', 'pack'].includes(job.kind);
  }
}
