import { describe, expect, it, vi } from 'vitest';

import { ApiError } from '../request';
import { json, refusal, setHidden } from './fakeServer';
import { change, ended, model, pass, server, services, settle, START, useModel } from './modelFixtures';
import { aDiagnosis, aFramework, aJob, anEnvironment, hardware } from './samples';

useModel();

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
