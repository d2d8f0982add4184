import { beforeEach, describe, expect, it } from 'vitest';

import * as api from '../api';
import { FakeServer, type IAsked, json } from './fakeServer';

type Settings = FakeServer['settings'];

const { signal } = new AbortController();

const REMEDY = { id: 'rebuild', subject: 'x', label: 'Rebuild', question: '' };

/** Each operation: how it is called, what is asked of the server, and what is sent. */
const OPERATIONS: [string, (settings: Settings) => Promise<unknown>, unknown?][] = [
  ['GET frameworks', settings => api.frameworks(settings)],
  ['GET gpus', settings => api.hardware(settings)],
  ['GET names?framework=scikit%2Fcuda', settings => api.suggestName('scikit/cuda', settings)],
  ['GET names/my%20kernel', settings => api.checkName('my kernel', signal, settings)],
  ['POST plans', settings => api.plan({ name: 'x', cuda: '12.9' }, signal, settings), { name: 'x', cuda: '12.9' }],
  ['GET environments', settings => api.environments(settings)],
  ['POST environments', settings => api.create({ name: 'x' }, settings), { name: 'x' }],
  ['DELETE environments/x?stop_kernels=false', settings => api.remove('x', false, settings)],
  ['PATCH environments/x', settings => api.change('x', { display_name: 'X' }, settings), { display_name: 'X' }],
  ['GET environments/x/size', settings => api.diskUsage('x', settings)],
  ['POST environments/x/verify', settings => api.verify('x', settings), {}],
  ['POST environments/x/rebuild', settings => api.rebuild('x', settings), {}],
  ['GET environments/x/notebook', settings => api.benchmarkNotebook('x', settings)],
  ['PUT environments/x/benchmark', settings => api.keepBenchmark('x', { timings: [] }, settings), { timings: [] }],
  ['GET gpus/usage', settings => api.gpuUsage(settings)],
  ['GET diagnosis', settings => api.diagnose('', signal, settings)],
  ['GET diagnosis?environment=a%20b', settings => api.diagnose('a b', signal, settings)],
  ['POST diagnosis', settings => api.apply(REMEDY, settings), REMEDY],
  ['GET jobs', settings => api.jobs(settings)],
  ['GET jobs/1', settings => api.job('1', settings)],
  ['DELETE jobs/1', settings => api.cancel('1', settings)]
];

describe('api', () => {
  let server: FakeServer;

  beforeEach(() => {
    server = new FakeServer();
  });

  it.each(OPERATIONS)('asks %s', async (what, call, body) => {
    const answer = { said: what };
    server.answers.set(what, () => json(answer));

    expect(await call(server.settings)).toEqual(answer);
    expect(server.asked).toEqual<IAsked[]>([{ what, body }]);
  });

  it('gives addresses for the browser itself', () => {
    const base = 'http://localhost:8888/user/ada/jupyter-gpu-kernels';

    expect(api.logoUrl('scikit/cuda', server.settings)).toBe(`${base}/frameworks/scikit%2Fcuda/logo`);
    expect(api.logUrl('1', server.settings)).toBe(`${base}/jobs/1/log`);
  });
});
