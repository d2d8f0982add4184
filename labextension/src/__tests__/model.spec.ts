import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { GpuKernels } from '../model';
import { ApiError, LocalCodes } from '../request';
import type { Job } from '../tokens';
import { aDiagnosis, aFramework, aJob, anEnvironment, aProgress, hardware } from './fakes';
import { FakeServer, FakeServices, json, refusal, setHidden } from './fakeServer';

const START = ['GET environments', 'GET gpus', 'GET jobs'];

let server: FakeServer;
let services: FakeServices;
let model: GpuKernels;
let ended: Job[];

/** Let time pass. */
async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

/** Let what is under way be answered. */
async function settle(): Promise<void> {
  await pass(50);
}

/** Change a job on the server, which sends an event. */
function change(overrides: Partial<Job>): Job {
  const id = overrides.id ?? 'job-1';
  const former = server.jobs.find(job => job.id === id) ?? aJob({ id, revision: 0 });
  const job = server.set({ ...former, revision: former.revision + 1, ...overrides });
  services.emit(job);
  return job;
}

beforeEach(() => {
  vi.useFakeTimers();
  setHidden(false);
  server = new FakeServer();
  services = new FakeServices(server);
  model = new GpuKernels({ services });
  ended = [];
  model.jobEnded.connect((_, job) => {
    ended.push(job);
  });
});

afterEach(() => {
  model.dispose();
  vi.useRealTimers();
  setHidden(false);
});

describe('start', () => {
  it('is what the first request waits for', async () => {
    await pass(300_000);
    services.emit(aJob());
    await pass(300_000);

    expect(server.requests).toEqual([]);
    expect(model.isReady).toBe(false);
  });

  it('reads everything once, at the same time', async () => {
    server.environments = [anEnvironment()];
    server.jobs = [aJob({ state: 'succeeded' })];
    const started = Promise.all([model.start(), model.start()]);

    expect(server.requests).toEqual(START);
    await settle();
    await started;

    expect(server.requests).toEqual(START);
    expect(model.environments).toEqual(server.environments);
    expect(model.jobs).toEqual(server.jobs);
    expect(model.hardware).toEqual(hardware());
    expect(model).toMatchObject({ isReady: true, error: null });
  });

  it('resolves with a bad answer, too, and shows what was good', async () => {
    server.environments = [anEnvironment()];
    server.answers.set('GET jobs', () => refusal({ code: 'internal', message: 'Something went wrong.' }, 500));

    const started = model.start();
    await settle();
    await started;

    expect(model.isReady).toBe(false);
    expect(model.error).toBeInstanceOf(ApiError);
    expect(model.error?.message).toBe('Something went wrong.');
    expect(model.environments).toEqual(server.environments);
  });

  it('tells of a change once, and not of an answer that says the same', async () => {
    server.environments = [anEnvironment()];
    const changed = vi.fn();
    model.changed.connect(changed);
    void model.start();
    await settle();
    expect(changed).toHaveBeenCalledTimes(1);
    const [environment] = model.environments;

    const refreshed = model.refresh();
    await settle();
    await refreshed;

    expect(changed).toHaveBeenCalledTimes(1);
    expect(model.environments[0]).toBe(environment);
  });
});

describe('listen', () => {
  it('starts at the first event of a job, and tells its end', async () => {
    model.listen();
    services.events.stream.emit({ schema_id: 'https://events.jupyter.org/other/v1' });
    await settle();
    expect(server.requests).toEqual([]);

    change({ state: 'running' });
    await settle();
    expect(server.requests).toEqual(START);

    change({ state: 'succeeded' });
    await settle();
    expect(ended).toEqual(server.jobs);
  });

  it('tells the end of a job whose first event is its last', async () => {
    server.set(aJob({ id: 'old', state: 'failed' }));
    model.listen();

    change({ state: 'succeeded' });
    await settle();

    expect(ended.map(job => job.id)).toEqual(['job-1']);
  });
});

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
    model.dispose();
    model = new GpuKernels({ services });

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

describe('the fallback poll', () => {
  /** How often the jobs are read in a time. */
  async function readings(milliseconds: number): Promise<number> {
    server.asked.length = 0;
    await pass(milliseconds);
    return server.count('GET jobs');
  }

  it('is slow, and does not ask for the hardware again', async () => {
    void model.start();
    await settle();

    expect(await readings(600_000)).toBe(5);
    expect(server.count('GET gpus')).toBe(0);
  });

  it('is less slow while a job runs, from its first event on', async () => {
    void model.start();
    await settle();
    expect(await readings(100_000)).toBe(0);

    change({ state: 'running' });
    expect(await readings(300_000)).toBe(10);

    change({ state: 'succeeded' });
    expect(await readings(600_000)).toBe(5);
  });

  it('stops while the page is hidden, and makes up for it', async () => {
    server.set(aJob());
    void model.start();
    await settle();

    setHidden(true);
    expect(await readings(3_600_000)).toBe(0);

    setHidden(false);
    await settle();
    expect(server.count('GET jobs')).toBe(1);
  });

  it('does not hurry for a page that is hidden and seen all the time', async () => {
    void model.start();
    await settle();
    server.asked.length = 0;

    for (let turn = 0; turn < 100; turn++) {
      setHidden(turn % 2 === 0);
      await pass(100);
    }

    expect(server.count('GET jobs')).toBeLessThanOrEqual(3);
  });
});

describe('a server that goes away', () => {
  beforeEach(async () => {
    server.environments = [anEnvironment()];
    server.set(aJob());
    void model.start();
    await settle();
    server.isDown = true;
    server.asked.length = 0;
  });

  it('leaves what is known, and an error', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(6000);

    expect(model.error).toMatchObject({ report: { code: LocalCodes.UNREACHABLE } });
    expect(model.environments).toEqual([anEnvironment()]);
    expect(model.jobs).toEqual(server.jobs);
    expect(model.isReady).toBe(true);
  });

  it('is asked for less and less often', async () => {
    for (let second = 0; second < 600; second++) {
      services.connectionFailure.emit(new Error('Failed to fetch'));
      await pass(1000);
    }

    expect(server.count('GET jobs')).toBeGreaterThan(15);
    expect(server.count('GET jobs')).toBeLessThan(40);
  });

  it('is not asked for by a page that is hidden', async () => {
    setHidden(true);
    for (let minute = 0; minute < 60; minute++) {
      services.connectionFailure.emit(new Error('Failed to fetch'));
      await pass(60_000);
    }

    expect(server.requests).toEqual([]);
  });

  it('is read anew when it is back, hardware included', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(8000);
    server.isDown = false;
    server.hardware = hardware({ gpus: [], reason: 'There is no driver.' });
    server.environments = [];
    server.set(aJob({ revision: 30, state: 'succeeded' }));
    await pass(10_000);

    expect(model.error).toBeNull();
    expect(model.hardware?.reason).toBe('There is no driver.');
    expect(model.environments).toEqual([]);
    expect(ended).toEqual(server.jobs);
  });

  it('is read quickly until the events are back, too', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(6000);
    server.isDown = false;
    await pass(10_000);
    server.asked.length = 0;
    await pass(30_000);
    expect(server.count('GET jobs')).toBe(6);

    change({});
    server.asked.length = 0;
    await pass(60_000);
    expect(server.count('GET jobs')).toBe(2);
  });

  it('is read anew as soon as an event says that it is back', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(60_000);
    expect(model.error).not.toBeNull();
    server.isDown = false;

    change({});
    await settle();

    expect(model.error).toBeNull();
  });

  it('is read when the machine is back on line', async () => {
    server.isDown = false;
    await pass(5000);
    server.asked.length = 0;
    window.dispatchEvent(new Event('online'));
    await settle();

    expect(server.count('GET jobs')).toBe(1);
  });

  it('is noticed by whoever reads a job', async () => {
    services.emit({ ...server.jobs[0], revision: 50, state: 'succeeded' });
    await pass(6000);
    expect(model.error).not.toBeNull();

    server.isDown = false;
    server.set(aJob({ revision: 50, state: 'succeeded' }));
    await pass(30_000);
    expect(model.error).toBeNull();
    expect(ended).toEqual(server.jobs);
  });
});

describe('what can be done', () => {
  it('shows a new job at once, and hears of its end', async () => {
    const job = aJob({ state: 'queued', stage: null, revision: 1 });
    server.answers.set('POST environments', () => json(server.set(job), 202));

    const begun = await model.create({ name: 'tf-warp-speed', framework: 'tensorflow' });

    expect(begun).toEqual(job);
    expect(model.jobs).toEqual([job]);
    expect(server.asked[0]).toEqual({
      what: 'POST environments',
      body: { name: 'tf-warp-speed', framework: 'tensorflow' }
    });

    change({ state: 'succeeded' });
    await settle();
    expect(ended.map(({ id }) => id)).toEqual(['job-1']);
  });

  it('keeps a new job that the list does not have yet', async () => {
    void model.start();
    await settle();
    let release = (): void => undefined;
    server.answers.set('GET jobs', () => new Promise(resolve => (release = () => resolve(json([])))));
    const refreshed = model.refresh();
    const job = aJob({ state: 'queued', revision: 1 });
    server.answers.set('POST environments', () => json(job, 202));
    await Promise.all([model.create({ name: 'x' }), settle()]);

    release();
    await settle();
    await refreshed;

    expect(model.jobs).toEqual([job]);
  });

  it('forgets a job that the server has forgotten', async () => {
    server.set(aJob({ state: 'failed' }));
    void model.start();
    await settle();

    server.jobs = [];
    await Promise.all([model.refresh(), settle()]);

    expect(model.jobs).toEqual([]);
  });

  it('verifies, rebuilds and removes', async () => {
    server.answers.set('POST environments/x/verify', () => json(aJob({ id: 'a' }), 202));
    server.answers.set('POST environments/x/rebuild', () => json(aJob({ id: 'b' }), 202));
    server.answers.set('DELETE environments/x?stop_kernels=true', () => json(aJob({ id: 'c' }), 202));

    const begun = await Promise.all([model.verify('x'), model.rebuild('x'), model.remove('x', true)]);

    expect(begun.map(job => job.id)).toEqual(['a', 'b', 'c']);
  });

  it('cancels, and tells the end', async () => {
    server.set(aJob());
    void model.start();
    await settle();
    server.answers.set('DELETE jobs/job-1', () => json(server.set(aJob({ state: 'cancelled', revision: 9 }))));

    await Promise.all([model.cancel('job-1'), settle()]);

    expect(model.jobs[0].state).toBe('cancelled');
    expect(ended.map(job => job.state)).toEqual(['cancelled']);
  });

  it('looks again at a job that could not be cancelled', async () => {
    server.set(aJob());
    void model.start();
    await settle();
    server.set(aJob({ state: 'succeeded', revision: 9 }));
    server.answers.set('DELETE jobs/job-1', () => refusal({ message: 'The job has finished already.' }, 409));

    await expect(model.cancel('job-1')).rejects.toThrow('The job has finished already.');
    await settle();

    expect(model.jobs[0].state).toBe('succeeded');
  });

  it('renames, and reads the kernels anew', async () => {
    server.environments = [anEnvironment()];
    void model.start();
    await settle();
    server.answers.set('PATCH environments/tf-warp-speed', () => {
      server.environments = [anEnvironment({ display_name: 'Fast' })];
      return json(server.environments[0]);
    });

    await Promise.all([model.change('tf-warp-speed', { display_name: 'Fast' }), settle()]);

    expect(server.asked.find(({ what }) => what.startsWith('PATCH'))?.body).toEqual({ display_name: 'Fast' });
    expect(model.environments[0].display_name).toBe('Fast');
    expect(services.specsRefreshed).toBe(1);
  });

  it('shows the later of two answers, whichever comes first', async () => {
    server.environments = [anEnvironment()];
    void model.start();
    await settle();
    let release = (): void => undefined;
    const old = json(server.environments);
    server.answers.set('GET environments', () => new Promise(resolve => (release = () => resolve(old))));
    const refreshed = model.refresh();
    await settle();
    server.answers.delete('GET environments');
    server.environments = [anEnvironment({ display_name: 'Fast' })];
    server.answers.set('PATCH environments/tf-warp-speed', () => json(server.environments[0]));
    await Promise.all([model.change('tf-warp-speed', { display_name: 'Fast' }), settle()]);

    release();
    await settle();
    await refreshed;

    expect(model.environments[0].display_name).toBe('Fast');
  });

  it('reads jobs and kernels after a remedy, also after one that has failed', async () => {
    void model.start();
    await settle();
    const remedy = { id: 'rebuild', subject: 'tf-warp-speed', label: 'Rebuild', question: '' };
    server.answers.set('POST diagnosis', () => {
      server.set(aJob({ kind: 'rebuild' }));
      return json(aDiagnosis());
    });

    const [found] = await Promise.all([model.apply(remedy), settle()]);

    expect([found, model.jobs.map(({ kind }) => kind), services.specsRefreshed]).toEqual([
      aDiagnosis(),
      ['rebuild'],
      1
    ]);

    server.answers.set('POST diagnosis', () => refusal({ message: 'It was cured meanwhile.' }, 409));
    server.environments = [anEnvironment()];
    await Promise.all([expect(model.apply(remedy)).rejects.toThrow('It was cured meanwhile.'), settle()]);

    expect(model.environments).toEqual([anEnvironment()]);
  });

  it('keeps a benchmark, and shows it', async () => {
    server.environments = [anEnvironment()];
    void model.start();
    await settle();
    const benchmark = { framework: 'TensorFlow', timings: [], speedups: {}, gpu_missing: null, finished: '' };
    server.answers.set('PUT environments/tf-warp-speed/benchmark', () => {
      server.environments = [anEnvironment({ benchmark })];
      return json(benchmark);
    });

    await Promise.all([model.keepBenchmark('tf-warp-speed', { timings: [] }), settle()]);

    expect(model.environments[0].benchmark).toEqual(benchmark);
  });

  it('gives the refusal of a request to whoever asked, and to nobody else', async () => {
    void model.start();
    await settle();
    server.answers.set('POST environments', () => refusal({ code: 'name_taken', message: 'That name is taken.' }, 409));

    await expect(model.create({ name: 'x' })).rejects.toMatchObject({ report: { code: 'name_taken' } });

    expect(model.error).toBeNull();
    expect(model.jobs).toEqual([]);
  });

  it('reads the catalogue once, and again after a failure', async () => {
    server.answers.set('GET frameworks', () => refusal({ code: 'internal' }, 500));
    await expect(model.frameworks()).rejects.toBeInstanceOf(ApiError);
    server.answers.clear();

    expect(await Promise.all([model.frameworks(), model.frameworks()])).toEqual([[aFramework()], [aFramework()]]);
    expect(server.count('GET frameworks')).toBe(2);
  });

  it('gives addresses below the server', () => {
    const base = 'http://localhost:8888/user/ada/jupyter-gpu-kernels';

    expect(model.logoUrl('tensorflow')).toBe(`${base}/frameworks/tensorflow/logo`);
    expect(model.logUrl('a b')).toBe(`${base}/jobs/a%20b/log`);
  });
});

describe('dispose', () => {
  it('ends everything', async () => {
    server.set(aJob());
    model.watch('job-1');
    void model.start();
    await settle();
    server.asked.length = 0;

    model.dispose();
    model.dispose();
    services.emit(aJob({ revision: 9, stage: 'link' }));
    services.connectionFailure.emit(new Error('Failed to fetch'));
    setHidden(true);
    setHidden(false);
    window.dispatchEvent(new Event('online'));
    await model.start();
    await model.refresh();
    await pass(600_000);

    expect(model.isDisposed).toBe(true);
    expect(server.requests).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves answers that come later alone', async () => {
    const changed = vi.fn();
    model.changed.connect(changed);
    server.set(aJob());
    void model.start();
    model.dispose();
    await pass(600_000);

    expect(changed).not.toHaveBeenCalled();
    expect(server.requests).toEqual(START);
  });
});
