/**
 * Which jobs the panel shows: those at work, what failed until it is dismissed, and what has just ended.
 */
import { isFinal } from '../jobStream';
import type { Job } from '../tokens';

/**
 * Choose the jobs to show, the newest first.
 *
 * One that succeeded or was cancelled stays where it is, for whoever comes back to look, until the panel is hidden or
 * the next job begins: taking it away by a clock would move what is below under somebody's hand. One that failed stays
 * until it is dismissed, or until the same environment is worked on again.
 *
 * @param jobs - All jobs, the newest first.
 * @param witnessed - Ids of those that were at work while the panel was looked at.
 * @param dismissed - Ids of those that the person has taken away.
 */
export function shownJobs(jobs: readonly Job[], witnessed: ReadonlySet<string>, dismissed: ReadonlySet<string>): Job[] {
  const begunLater = (job: Job) => jobs.slice(0, jobs.indexOf(job));
  return jobs.filter(job => {
    if (!isFinal(job)) {
      return true;
    }
    if (dismissed.has(job.id)) {
      return false;
    }
    if (job.state === 'failed') {
      return !begunLater(job).some(({ name }) => name.toLowerCase() === job.name.toLowerCase());
    }
    return witnessed.has(job.id) && !begunLater(job).some(({ created }) => created > job.finished);
  });
}

/**
 * What the person has dismissed, in this browser.
 *
 * Jobs stay on record at the server; to have read of a failure is a matter of whoever has.
 */
export namespace Dismissed {
  const KEY = 'jupyter-gpu-kernels:dismissed-jobs';

  /** Read it. */
  export function load(): ReadonlySet<string> {
    try {
      const found: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? '[]');
      return new Set(Array.isArray(found) ? found.filter(id => typeof id === 'string') : []);
    } catch {
      // No storage, or not ours: then nothing was dismissed.
      return new Set();
    }
  }

  /**
   * Add some.
   *
   * @param jobs - All jobs; ids of others are forgotten.
   */
  export function add(ids: readonly string[], jobs: readonly Job[]): ReadonlySet<string> {
    const known = new Set(jobs.map(({ id }) => id));
    const dismissed = new Set([...load(), ...ids].filter(id => known.has(id)));
    try {
      window.localStorage.setItem(KEY, JSON.stringify([...dismissed]));
    } catch {
      // Private windows may refuse: then it holds until the page is reloaded.
    }
    return dismissed;
  }
}
