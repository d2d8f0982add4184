import { beforeEach, describe, expect, it, vi } from 'vitest';

import { json, refusal, setHidden } from './fakeServer';
import { change, ended, model, pass, renewModel, server, services, settle, useModel } from './modelFixtures';
import { aJob, anEnvironment, aProgress } from './samples';

useModel();

describe('events', () => {
  beforeEach(async () => {
    server.set(aJob());
    void model.start();
    await settle();
    server.asked.length = 0;
  });

  it('show counters at once, without a request', async () => {
    change({ progress: aProgress({ packages_done: 7, packages_total: 10 }) });

    expect(model.jobs[0].progress.packages_done).toBe(7);
    await pass(10_000);
    expect(server.requests).toEqual([]);
  });

  it('read a job at once that has entered another stage', async () => {
    change({ stage: 'wheels', progress: aProgress({ detail: 'keras', unit: 'wheels' }) });
    expect(model.jobs[0].stage).toBe('wheels');
    await settle();

    expect(server.requests).toEqual(['GET jobs/job-1']);
    expect(model.jobs[0].progress).toMatchObject({ detail: 'keras', unit: 'wheels' });
  });

  it('read an unknown job', async () => {
    change({ id: 'job-2', name: 'other', created: '2026-11-20T18:30:00+00:00' });
    await settle();

    expect(server.requests).toEqual(['GET jobs/job-2']);
    expect(model.jobs.map(job => job.name)).toEqual(['other', 'tf-warp-speed']);
  });

  it('forget a job that does not exist', async () => {
    services.emit(aJob({ id: 'forged' }));
    await settle();

    expect(model.jobs.map(job => job.id)).toEqual(['job-1']);
    expect(model.error).toBeNull();
  });

  it('make no storm of requests', async () => {
    const watching = model.watch('job-1');
    for (let done = 0; done < 200; done++) {
      change({ progress: aProgress({ packages_done: done, packages_total: 200 }) });
      await pass(25);
    }
    await pass(1000);

    // Five seconds, two a second.
    expect(server.requests.length).toBeGreaterThan(5);
    expect(server.requests.length).toBeLessThanOrEqual(12);
    expect(new Set(server.requests)).toEqual(new Set(['GET jobs/job-1']));
    expect(model.jobs[0].progress.packages_done).toBe(199);
    watching.dispose();
  });

  it('make one request at a time for a server that is slow', async () => {
    let atWork = 0;
    let most = 0;
    server.answers.set('GET jobs/job-1', async () => {
      most = Math.max(most, ++atWork);
      const job = server.jobs[0];
      await new Promise(resolve => setTimeout(resolve, 2000));
      atWork--;
      return json(job);
    });

    for (let turn = 0; turn < 200; turn++) {
      change({ stage: turn % 2 ? 'link' : 'compile' });
    }
    await pass(10_000);

    expect(most).toBe(1);
    expect(server.count('GET jobs/job-1')).toBe(2);
    expect(model.jobs[0]).toEqual(server.jobs[0]);
  });

  it('are not undone by an answer that they have overtaken', async () => {
    let release = (): void => undefined;
    const old = server.jobs[0];
    server.answers.set('GET jobs', () => new Promise(resolve => (release = () => resolve(json([old])))));
    const refreshed = model.refresh();
    await settle();
    change({ progress: aProgress({ packages_done: 9, packages_total: 10 }) });

    release();
    await settle();
    await refreshed;

    expect(model.jobs[0].progress.packages_done).toBe(9);
  });

  it('are undone by a server that was killed before it wrote them down', async () => {
    const written = server.jobs[0];
    change({ progress: aProgress({ packages_done: 9, packages_total: 10 }) });
    server.set({ ...written, state: 'queued', stage: null });

    await Promise.all([model.refresh(), settle()]);

    expect(model.jobs[0].state).toBe('queued');
  });

  it('of other extensions, and malformed ones, change nothing', async () => {
    const changed = vi.fn();
    model.changed.connect(changed);

    services.events.stream.emit({ schema_id: 'https://events.jupyter.org/other/v1', id: 'job-1', revision: 99 });
    services.events.stream.emit({ schema_id: 'https://schema.jupyter.org/jupyter_gpu_kernels/job/v1', id: 7 });
    await settle();

    expect(changed).not.toHaveBeenCalled();
    expect(server.requests).toEqual([]);
  });
});

describe('watch', () => {
  beforeEach(async () => {
    server.set(aJob({ log: ['one'] }));
    void model.start();
    await settle();
    server.asked.length = 0;
  });

  it('brings the log, and keeps it current until nobody watches', async () => {
    const [one, other] = [model.watch('job-1'), model.watch('job-1')];
    await settle();
    expect(server.requests).toEqual(['GET jobs/job-1']);
    expect(model.jobs[0].log).toEqual(['one']);

    one.dispose();
    change({ log: ['one', 'two'] });
    await pass(1000);
    expect(model.jobs[0].log).toEqual(['one', 'two']);

    other.dispose();
    change({ log: ['one', 'two', 'three'] });
    await pass(1000);
    expect(model.jobs[0].log).toEqual(['one', 'two']);
    expect(server.count('GET jobs/job-1')).toBe(2);
  });

  it('keeps the log when the list is read, which has none', async () => {
    model.watch('job-1').dispose();
    await settle();

    await Promise.all([model.refresh(), settle()]);

    expect(model.jobs[0].log).toEqual(['one']);
  });

  it('reads a job that has ended once', async () => {
    server.set(aJob({ state: 'failed', revision: 9, log: ['the reason'] }));
    await Promise.all([model.refresh(), settle()]);
    server.asked.length = 0;

    model.watch('job-1').dispose();
    await settle();
    model.watch('job-1');
    await settle();
    await Promise.all([model.refresh(), settle()]);

    expect(server.count('GET jobs/job-1')).toBe(1);
    expect(model.jobs[0].log).toEqual(['the reason']);
  });

  it('waits for the start', async () => {
    renewModel();

    model.watch('job-1');
    await settle();
    expect(server.requests).toEqual([]);

    void model.start();
    await settle();
    expect(model.jobs[0].log).toEqual(['one']);
  });

  it('reads no logs for a page that is hidden, and reads them when it is seen', async () => {
    model.watch('job-1');
    await settle();
    setHidden(true);
    server.asked.length = 0;

    change({ log: ['one', 'two'] });
    await pass(10_000);
    expect(server.requests).toEqual([]);

    setHidden(false);
    await settle();
    expect(model.jobs[0].log).toEqual(['one', 'two']);
  });
});

describe('the end of a job', () => {
  it('is told once, with its last snapshot, after its kernel can be used', async () => {
    server.set(aJob());
    void model.start();
    await settle();
    const seen: unknown[] = [];
    model.jobEnded.connect((_, job) => {
      seen.push([job.error?.message, model.environments.length, services.specsRefreshed]);
    });

    server.environments = [anEnvironment()];
    const error = { code: 'build_failed', message: 'It does not fit.', cure: '', detail: '' };
    change({ state: 'failed', error });
    await settle();
    services.emit(server.jobs[0]);
    await Promise.all([model.refresh(), settle()]);
    await pass(600_000);

    expect(seen).toEqual([['It does not fit.', 1, 1]]);
  });

  it('is not told by an event and an answer that it has overtaken: neither says why', async () => {
    server.set(aJob());
    void model.start();
    await settle();
    const running = server.jobs[0];
    let release = (): void => undefined;
    server.answers.set('GET jobs', () => new Promise(resolve => (release = () => resolve(json([running])))));
    server.answers.set('GET jobs/job-1', () => new Promise(() => undefined));
    void model.refresh();
    await settle();

    change({ state: 'failed' });
    release();
    await settle();

    expect(model.jobs[0].state).toBe('failed');
    expect(ended).toEqual([]);
  });

  it('is told though no event came', async () => {
    server.set(aJob());
    void model.start();
    await settle();

    server.set(aJob({ revision: 20, state: 'succeeded' }));
    await pass(31_000);

    expect(ended).toEqual(server.jobs);
  });

  it('is told though the job could not be read when the event came', async () => {
    server.set(aJob());
    void model.start();
    await settle();
    server.answers.set('GET jobs/job-1', () => refusal({ code: 'internal' }, 500));

    change({ state: 'succeeded' });
    await settle();
    expect(model.jobs[0].state).toBe('succeeded');
    expect(ended).toEqual([]);

    await pass(120_000);
    expect(ended).toEqual(server.jobs);
    expect(model.error).toBeNull();
  });

  it('is not told of jobs that had ended before', async () => {
    server.set(aJob({ state: 'succeeded' }));
    void model.start();
    await pass(300_000);

    expect(ended).toEqual([]);
    expect(services.specsRefreshed).toBe(0);
  });

  it('is told though its kernels cannot be read', async () => {
    server.set(aJob());
    void model.start();
    await settle();
    server.answers.set('GET environments', () => refusal({ code: 'internal', message: 'Broken.' }, 500));
    services.kernelspecs.refreshSpecs = () => Promise.reject(new Error('broken, too'));

    change({ state: 'succeeded' });
    await settle();

    expect(ended).toEqual(server.jobs);
    expect(model.error?.message).toBe('Broken.');
  });
});
