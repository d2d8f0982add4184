/**
 * What the server's events tell of jobs, and how it joins what is known of them; nothing here asks the server.
 */
import type { Event } from '@jupyterlab/services';

import type { Job, JobState, Progress, Stage } from './tokens';

/**
 * The schema of our events; other extensions share the stream.
 */
export const JOB_SCHEMA_ID = 'https://schema.jupyter.org/jupyter_gpu_kernels/job/v1';

/**
 * What an event tells; the job itself is the truth.
 */
export interface IJobEvent {
  id: string;
  /** Rises with every change of the job. */
  revision: number;
  state: JobState;
  stage: Stage | null;
  /** How far the stage has come, as far as the event says. */
  counters: Partial<Pick<Progress, (typeof Private.COUNTERS)[number]>>;
}

/**
 * What an event asks of whoever keeps the jobs.
 */
export enum Reread {
  /** Nothing: the event said it all. */
  Never,
  /** The job is unknown, or something that events do not carry may have changed. */
  Soon,
  /** The job has entered another stage, or has ended. */
  Now
}

/**
 * Whether nothing more will happen to a job.
 */
export function isFinal({ state }: Pick<Job, 'state'>): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

/**
 * Read an emission of the server's event stream.
 *
 * Everybody who may post events can forge one, so its shape is not taken on trust.
 *
 * @returns What it tells of a job; `null` if it is about something else, or malformed.
 */
export function jobEvent(emission: Event.Emission): IJobEvent | null {
  const { schema_id: schema, id, revision, state, stage = null } = emission;
  if (schema !== JOB_SCHEMA_ID || typeof id !== 'string' || !Private.isCount(revision)) {
    return null;
  }
  if (!Private.isState(state) || (stage !== null && typeof stage !== 'string')) {
    return null;
  }
  const counters: IJobEvent['counters'] = {};
  for (const name of Private.COUNTERS) {
    const value = emission[name];
    if (Private.isCount(value)) {
      counters[name] = value;
    }
  }
  // A stage that this version does not know is shown as it came.
  return { id, revision, state, stage: stage as Stage | null, counters };
}

/**
 * Say what must be read because of an event.
 *
 * @param job - What is known of its job, before the event.
 */
export function rereadFor(job: Job | undefined, event: IJobEvent): Reread {
  if (!job) {
    return Reread.Soon;
  }
  if (event.revision <= job.revision) {
    return Reread.Never;
  }
  if (event.state !== job.state || event.stage !== job.stage) {
    return Reread.Now;
  }
  return Private.countsTheSame(job.progress, event) ? Reread.Never : Reread.Soon;
}

/**
 * Bring a job forward by an event.
 *
 * @returns The job as it is now; the same object if the event tells nothing new.
 */
export function advance(job: Job, event: IJobEvent): Job {
  if (event.revision <= job.revision) {
    return job;
  }
  const { revision, state, stage, counters } = event;
  // Another stage counts other things, from the beginning.
  const before: Progress = stage === job.stage ? job.progress : Private.NO_PROGRESS;
  const progress = { ...before, ...counters };
  if (!Private.countsTheSame(before, event)) {
    // Better no number for a moment than that of modules called packages.
    progress.packages_done = before.packages_done;
    progress.packages_total = before.packages_total;
  }
  return { ...job, revision, state, stage, progress };
}

/**
 * Choose between what is known of a job and an answer of the server.
 *
 * Answers may overtake each other, and events overtake answers: the higher revision wins. But an answer older than what
 * was known when it was asked for comes from a server that was killed before it could write all down: it is the truth.
 *
 * @param known - What is known now.
 * @param answer - What the server answered.
 * @param asked - The revision that was known when the server was asked; nothing, if the job was unknown.
 */
export function newer(known: Job | undefined, answer: Job, asked: number | undefined): Job {
  if (!known || answer.revision >= known.revision || (asked !== undefined && answer.revision < asked)) {
    return answer;
  }
  return known;
}

namespace Private {
  export const COUNTERS = ['packages_done', 'packages_total', 'bytes_done', 'bytes_total', 'bytes_per_second'] as const;

  export const NO_PROGRESS: Progress = {
    packages_done: 0,
    packages_total: 0,
    bytes_done: 0,
    bytes_total: 0,
    bytes_per_second: 0,
    detail: '',
    unit: 'packages'
  };

  /**
   * Whether an event counts what is counted already.
   *
   * With another total that may be another thing, too (packages, modules, cells), and only the job says which.
   */
  export function countsTheSame(before: Progress, { counters }: IJobEvent): boolean {
    return counters.packages_total === undefined || counters.packages_total === before.packages_total;
  }

  const STATES: readonly unknown[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] satisfies JobState[];

  export function isState(value: unknown): value is JobState {
    return STATES.includes(value);
  }

  export function isCount(value: unknown): value is number {
    return typeof value === 'number' && Number.isFinite(value) && value >= 0;
  }
}
