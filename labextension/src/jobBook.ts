/**
 * The jobs as far as they are known: answers and events are joined here, and who has ended is said once.
 */
import { advance, type IJobEvent, isFinal, newer, type Reread, rereadFor } from './jobStream';
import { keepUnchanged } from './sameness';
import type { Job } from './tokens';

/**
 * What was known of each job when the server was asked: its revision by id.
 */
export type Asked = ReadonlyMap<string, number>;

/**
 * The jobs that are known.
 */
export class JobBook {
  /** The newest first; the same array as long as nothing has changed. */
  get jobs(): readonly Job[] {
    const sorted = [...this._jobs.values()].sort(Private.byAge);
    this._sorted = keepUnchanged(this._sorted, sorted, job => job.id);
    return this._sorted;
  }

  /** Whether a job has not ended yet. */
  get isBusy(): boolean {
    return [...this._jobs.values()].some(job => !isFinal(job));
  }

  /** What is known of a job. */
  get(id: string): Job | undefined {
    return this._jobs.get(id);
  }

  /** What is known now; take it before you ask the server, and hand it in with the answer. */
  known(): Asked {
    return new Map([...this._jobs.values()].map(job => [job.id, job.revision]));
  }

  /**
   * Take an event.
   *
   * @returns What has to be read because of it.
   */
  takeEvent(event: IJobEvent): Reread {
    const job = this._jobs.get(event.id);
    // Nothing is said of jobs that rest: this one ends while we look, even if its first event is its last.
    this._await(event.id);
    const reread = rereadFor(job, event);
    if (job) {
      this._jobs.set(event.id, advance(job, event));
    }
    return reread;
  }

  /**
   * Take a list of all jobs, which is without their logs.
   *
   * @returns The jobs of which nobody was told yet that they have ended.
   */
  takeList(answer: readonly Job[], asked: Asked): Job[] {
    const listed = new Set(answer.map(job => job.id));
    for (const id of asked.keys()) {
      // One that began after the question is missing in the answer, too, and stays.
      if (!listed.has(id)) {
        this.forget(id);
      }
    }
    return answer.flatMap(job => this._take({ ...job, log: this._jobs.get(job.id)?.log ?? [] }, asked));
  }

  /**
   * Take one job with its log.
   *
   * @returns The job, if it has ended and nobody was told yet; else nothing.
   */
  takeJob(answer: Job, asked: Asked): Job[] {
    return this._take(answer, asked);
  }

  /** Forget a job that the server knows no longer. */
  forget(id: string): void {
    this._jobs.delete(id);
    this._awaited.delete(id);
    this._told.delete(id);
  }

  private _take(answer: Job, asked: Asked): Job[] {
    const { id } = answer;
    const job = newer(this._jobs.get(id), answer, asked.get(id));
    this._jobs.set(id, job);
    if (!isFinal(job)) {
      this._await(id);
      return [];
    }
    // Only an answer says why a job has failed; an event alone has not brought it to its end.
    if (job !== answer || !this._awaited.delete(id)) {
      return [];
    }
    this._told.add(id);
    return [job];
  }

  private _await(id: string): void {
    if (!this._told.has(id)) {
      this._awaited.add(id);
    }
  }

  private readonly _jobs = new Map<string, Job>();
  /** Those that were seen unfinished, and whose end nobody was told. */
  private readonly _awaited = new Set<string>();
  /** Those whose end was told. */
  private readonly _told = new Set<string>();
  private _sorted: readonly Job[] = [];
}

namespace Private {
  /**
   * The order of the server: the newest first.
   */
  export function byAge(one: Job, other: Job): number {
    return Private.compare(other.created, one.created) || Private.compare(other.id, one.id);
  }

  export function compare(one: string, other: string): number {
    return one < other ? -1 : Number(one > other);
  }
}
