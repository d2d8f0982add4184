import { describe, expect, it } from 'vitest';

import { fraction, type IPace, pace, place, secondsLeft } from '../components/progress';
import { shownJobs } from '../components/shownJobs';
import { isFinal } from '../jobStream';
import type { Job, Progress } from '../tokens';
import { aJob, aPlan, aProgress, aSpec } from './samples';

describe('fraction', () => {
  it('counts bytes where there are any, else packages, else nothing', () => {
    const packages = { packages_done: 1, packages_total: 4 };
    expect(fraction(aProgress({ ...packages, bytes_done: 3, bytes_total: 4 }))).toBe(0.75);
    expect(fraction(aProgress(packages))).toBe(0.25);
    expect(fraction(aProgress())).toBeNull();
  });

  it('stays between nothing and all', () => {
    expect(fraction(aProgress({ bytes_done: 5, bytes_total: 4 }))).toBe(1);
    expect(fraction(aProgress({ packages_done: -1, packages_total: 4 }))).toBe(0);
  });
});

describe('place', () => {
  it('counts the stages that the job goes through', () => {
    const conda = aPlan();
    expect(place(aJob({ stage: 'solve' }))).toEqual({ step: 1, of: 6 });
    expect(place(aJob({ stage: 'register', plan: conda }))).toEqual({ step: 6, of: 6 });
    expect(place(aJob({ stage: 'wheels', plan: aPlan({ installer: 'pypi' }) }))).toEqual({ step: 3, of: 6 });
    expect(place(aJob({ stage: 'wheels', spec: aSpec({ pip: ['rich'] }) }))).toEqual({ step: 4, of: 7 });
    expect(place(aJob({ stage: 'register', spec: aSpec({ verify: false }) }))).toEqual({ step: 5, of: 5 });
  });

  it('has room for a stage that nobody expected', () => {
    expect(place(aJob({ stage: 'wheels', plan: aPlan() }))).toEqual({ step: 4, of: 7 });
  });

  it('is nothing where there is one stage, or none yet', () => {
    expect(place(aJob({ kind: 'verify', stage: 'verify' }))).toBeNull();
    expect(place(aJob({ stage: null }))).toBeNull();
  });
});

describe('time left', () => {
  /** The pace after snapshots, one a second. */
  function after(...rates: number[]): IPace {
    let known: IPace | null = null;
    rates.forEach((bytes_per_second, second) => {
      known = pace(known, 'download', aProgress({ bytes_per_second }), second * 1000);
    });
    return known ?? pace(null, null, aProgress(), 0);
  }

  function download(missing: number, bytes_per_second: number): Progress {
    return aProgress({ bytes_done: 1e9 - missing, bytes_total: 1e9, bytes_per_second });
  }

  it('is what is missing by how fast it comes, rounded up to what can be promised', () => {
    expect(secondsLeft(after(1e6, 1e6, 1e6), download(42e6, 1e6))).toBe(45);
    expect(secondsLeft(after(1e6, 1e6, 1e6), download(150e6, 1e6))).toBe(180);
  });

  it('does not jump with the rate', () => {
    const steady = secondsLeft(after(1e6, 1e6, 1e6, 1e6), download(50e6, 1e6));
    const hiccup = secondsLeft(after(1e6, 1e6, 1e6, 1e5), download(50e6, 1e5));
    expect(steady).toBe(50);
    expect(hiccup).toBe(55);
  });

  it('is not told too early, nor while nothing comes, nor when all is there', () => {
    expect(secondsLeft(after(1e6), download(42e6, 1e6))).toBeNull();
    expect(secondsLeft(after(1e6, 1e6, 0), download(42e6, 0))).toBeNull();
    expect(secondsLeft(after(1e6, 1e6, 1e6), download(0, 1e6))).toBeNull();
  });

  it('begins anew with each stage', () => {
    const next = pace(after(1e6, 1e6, 1e6), 'wheels', aProgress({ bytes_per_second: 5e6 }), 3000);
    expect(next).toEqual({ stage: 'wheels', rate: 5e6, at: 3000, since: 3000 });
  });
});

describe('shown jobs', () => {
  const failed = aJob({ id: 'failed', name: 'one', state: 'failed', created: '1', finished: '2' });
  const done = aJob({ id: 'done', name: 'two', state: 'succeeded', created: '3', finished: '4' });
  const running = aJob({ id: 'running', name: 'three', created: '3' });
  const nobody = new Set<string>();

  /** Ids of what is shown. */
  function shown(jobs: Job[], witnessed: string[] = [], dismissed: string[] = []): string[] {
    return shownJobs(jobs, new Set(witnessed), new Set(dismissed)).map(({ id }) => id);
  }

  it('are those at work and those that failed', () => {
    expect(shownJobs([done, running, failed], nobody, nobody)).toEqual([running, failed]);
  });

  it('are without what was dismissed', () => {
    expect(shown([done, running, failed], [], ['failed', 'running'])).toEqual(['running']);
  });

  it('hold what ended before our eyes, until the next one begins', () => {
    expect(shown([done, failed], ['done'])).toEqual(['done', 'failed']);
    expect(shown([aJob({ id: 'next', name: 'four', created: '5' }), done], ['done'])).toEqual(['next']);
    expect(shown([aJob({ id: 'during', name: 'four', created: '3' }), done], ['done'])).toEqual(['during', 'done']);
  });

  it('are without a failure that was tried again', () => {
    expect(shown([aJob({ id: 'again', name: 'ONE', created: '5' }), failed])).toEqual(['again']);
  });

  it('know what is over', () => {
    expect([running, failed, done, aJob({ state: 'queued' }), aJob({ state: 'cancelled' })].map(isFinal)).toEqual([
      false,
      true,
      true,
      false,
      true
    ]);
  });
});
