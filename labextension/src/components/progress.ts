/**
 * How far a job has come, in numbers that can be shown.
 */
import type { Job, Progress, Stage } from '../tokens';

/**
 * The share of the stage at work that is done, `0` to `1`; `null` while nobody knows.
 *
 * Bytes say it better than packages, where both are counted: packages differ a thousandfold in size.
 */
export function fraction(progress: Progress): number | null {
  const [done, total] =
    progress.bytes_total > 0
      ? [progress.bytes_done, progress.bytes_total]
      : [progress.packages_done, progress.packages_total];
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : null;
}

/** All stages, in order. */
const STAGES: readonly Stage[] = ['solve', 'download', 'link', 'wheels', 'compile', 'verify', 'register'];

/** Where a stage stands among those of its job. */
export interface IPlace {
  step: number;
  of: number;
}

/**
 * The place of the stage at work among those that this job goes through; `null` for a job of one stage, or none.
 */
export function place(job: Job): IPlace | null {
  if ((job.kind !== 'create' && job.kind !== 'rebuild') || job.stage === null) {
    return null;
  }
  const stages = STAGES.filter(stage => stage === job.stage || Private.comes(stage, job));
  return { step: stages.indexOf(job.stage) + 1, of: stages.length };
}

/**
 * What is known of the pace of a stage.
 */
export interface IPace {
  stage: Stage | null;
  /** Bytes each second, smoothed. */
  rate: number;
  /** When it was last told, in milliseconds. */
  at: number;
  /** When the stage was first seen, in milliseconds. */
  since: number;
}

/**
 * The pace after one more snapshot: an average over the last ten seconds or so, so that the time left does not jump.
 *
 * @param before - The pace so far; `null` at first.
 * @param now - Milliseconds, from any clock that does not run back.
 */
export function pace(before: IPace | null, stage: Stage | null, progress: Progress, now: number): IPace {
  const rate = progress.bytes_per_second;
  if (before === null || before.stage !== stage || before.rate === 0) {
    return { stage, rate, at: now, since: before?.stage === stage ? before.since : now };
  }
  const weight = 1 - Math.exp(-Math.max(0, now - before.at) / Private.MEMORY);
  return { ...before, rate: before.rate + weight * (rate - before.rate), at: now };
}

/**
 * Seconds until the bytes of this stage have arrived, rounded to what can be promised; `null` while unknown.
 */
export function secondsLeft(pace: IPace, progress: Progress): number | null {
  const missing = progress.bytes_total - progress.bytes_done;
  // The rate told by the server is the present truth on whether anything arrives at all.
  if (missing <= 0 || pace.rate <= 0 || progress.bytes_per_second <= 0 || pace.at - pace.since < Private.WARM_UP) {
    return null;
  }
  const seconds = missing / pace.rate;
  const step = seconds < 60 ? 5 : seconds < 3600 ? 60 : 600;
  return Math.ceil(seconds / step) * step;
}

namespace Private {
  /** The time, in milliseconds, after which a rate counts for a third. */
  export const MEMORY = 10_000;

  /** For so many milliseconds a rate says nothing yet. */
  export const WARM_UP = 2_000;

  /**
   * Whether a job that builds goes through a stage, as far as is known.
   */
  export function comes(stage: Stage, job: Job): boolean {
    const spec = job.plan?.spec ?? job.spec;
    const wheelsOnly = (job.plan?.installer ?? spec?.installer) === 'pypi';
    switch (stage) {
      case 'link':
        return !wheelsOnly;
      case 'wheels':
        return wheelsOnly || Boolean(spec?.pip.length);
      case 'verify':
        return spec?.verify ?? true;
      default:
        return true;
    }
  }
}
