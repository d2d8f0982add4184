import { describe, expect, it } from 'vitest';

import { advance, jobEvent, newer, Reread, rereadFor } from '../jobStream';
import type { Job } from '../tokens';
import { anEmission } from './fakeServer';
import { aJob, aProgress } from './samples';

/** The event of a job as it is. */
function eventOf(job: Job): NonNullable<ReturnType<typeof jobEvent>> {
  const event = jobEvent(anEmission(job));
  if (!event) {
    throw new Error('The event was not read.');
  }
  return event;
}

describe('jobEvent', () => {
  const emission = anEmission(aJob());

  it('reads an event of ours', () => {
    expect(jobEvent(emission)).toEqual({
      id: 'job-1',
      revision: 3,
      state: 'running',
      stage: 'download',
      counters: { packages_done: 4, packages_total: 10, bytes_done: 5e8, bytes_total: 1e9, bytes_per_second: 5e7 }
    });
  });

  it('takes a stage and counters that are not there', () => {
    const { schema_id, id, revision, state } = emission;

    expect(jobEvent({ schema_id, id, revision, state })).toEqual({ id, revision, state, stage: null, counters: {} });
  });

  it.each([
    ['another schema', { schema_id: 'https://events.jupyter.org/jupyter_server/contents_service/v1' }],
    ['no id', { id: null }],
    ['a revision that is no number', { revision: '3' }],
    ['a negative revision', { revision: -1 }],
    ['an unknown state', { state: 'exploded' }],
    ['a stage that is no text', { stage: 3 }]
  ])('leaves %s alone', (_, wrong) => {
    expect(jobEvent({ ...emission, ...wrong })).toBeNull();
  });

  it('leaves out a counter that is none', () => {
    expect(jobEvent({ ...emission, bytes_done: 'many', bytes_total: -1 })?.counters).toEqual({
      packages_done: 4,
      packages_total: 10,
      bytes_per_second: 5e7
    });
  });
});

describe('advance', () => {
  const job = aJob({ progress: aProgress({ packages_total: 9, detail: 'numpy', unit: 'modules' }), log: ['a line'] });

  it('brings counters forward and keeps the rest', () => {
    const event = eventOf({ ...job, revision: 4, progress: { ...job.progress, packages_done: 5 } });

    expect(advance(job, event)).toEqual({ ...job, revision: 4, progress: { ...job.progress, packages_done: 5 } });
  });

  it('lets the counters of another stage begin anew', () => {
    const event = eventOf({ ...job, revision: 4, stage: 'verify', progress: aProgress() });

    expect(advance(job, event)).toEqual({ ...job, revision: 4, stage: 'verify', progress: aProgress() });
  });

  it('waits for the job to say what is counted, when there is another number of it', () => {
    const counted = aProgress({ packages_done: 1, packages_total: 2675, bytes_done: 7 });
    const event = eventOf({ ...job, revision: 4, progress: counted });

    expect(advance(job, event)).toEqual({ ...job, revision: 4, progress: { ...job.progress, bytes_done: 7 } });
  });

  it.each([2, 3])('drops revision %i when 3 is known', revision => {
    expect(advance(job, eventOf({ ...job, revision, state: 'queued' }))).toBe(job);
  });

  it('comes to the same, in whatever order events arrive, and however often', () => {
    const events = [4, 5, 9, 12].map(revision =>
      eventOf({ ...job, revision, progress: { ...job.progress, packages_done: revision } })
    );
    const last = events.reduce(advance, job);

    expect(last.revision).toBe(12);
    expect([...events].reverse().reduce(advance, job)).toEqual(last);
    expect([...events, ...events].reduce(advance, job)).toEqual(last);
  });
});

describe('rereadFor', () => {
  const job = aJob();
  const next = { ...job, revision: 4 };

  it('asks for nothing when the counters say it all', () => {
    expect(rereadFor(job, eventOf({ ...next, progress: { ...job.progress, bytes_done: 6e8 } }))).toBe(Reread.Never);
  });

  it('asks for nothing when the event is old', () => {
    expect(rereadFor(job, eventOf({ ...job, revision: 2, state: 'queued' }))).toBe(Reread.Never);
  });

  it('asks for an unknown job', () => {
    expect(rereadFor(undefined, eventOf(job))).toBe(Reread.Soon);
  });

  it('asks when something else is counted', () => {
    expect(rereadFor(job, eventOf({ ...next, progress: aProgress({ packages_total: 2000 }) }))).toBe(Reread.Soon);
  });

  it('asks at once for another stage, and for the end', () => {
    expect(rereadFor(job, eventOf({ ...next, stage: 'link' }))).toBe(Reread.Now);
    expect(rereadFor(job, eventOf({ ...next, state: 'failed' }))).toBe(Reread.Now);
  });
});

describe('newer', () => {
  const known = aJob({ revision: 5 });

  it('takes the first answer', () => {
    expect(newer(undefined, known, undefined)).toBe(known);
  });

  it('takes the same revision: an answer has more than an event', () => {
    const answer = aJob({ revision: 5, log: ['a line'] });

    expect(newer(known, answer, 5)).toBe(answer);
  });

  it('drops an answer that events have overtaken', () => {
    expect(newer(known, aJob({ revision: 4 }), 3)).toBe(known);
    expect(newer(known, aJob({ revision: 4 }), undefined)).toBe(known);
  });

  it('takes the word of a server that was killed before it could write all down', () => {
    const answer = aJob({ revision: 4, state: 'queued' });

    expect(newer(known, answer, 5)).toBe(answer);
  });
});
