/**
 * What is said at the end of a job.
 */
import { Notification } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../commandIds';
import { JOB_SCHEMA_ID } from '../jobStream';
import { noticeOf } from '../notifications';
import { notificationsPlugin } from '../plugins/notifications';
import type { Job } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { aJob, anEnvironment } from './samples';

const trans = nullTranslator.load('');

/** Commands that are noted. */
function noted(isNotebookOpen = true) {
  const executed: unknown[] = [];
  const commands = new CommandRegistry();
  for (const id of [CommandIDs.openNotebook, CommandIDs.useInNotebook, CommandIDs.show]) {
    commands.addCommand(id, {
      isEnabled: () => id !== CommandIDs.useInNotebook || isNotebookOpen,
      execute: args => void executed.push([id, args])
    });
  }
  return { commands, executed };
}

/** Message, type, and labels of the actions. */
function said(job: Partial<Job>, isNotebookOpen = true): unknown {
  const notice = noticeOf(aJob(job), trans, noted(isNotebookOpen).commands);
  return notice && [notice.type, notice.message, ...(notice.options.actions ?? []).map(({ label }) => label)];
}

const { verification } = anEnvironment();

const BENCHMARK = { framework: 'TensorFlow 2.21', timings: [], gpu_missing: null, finished: '' };

const ERROR = { code: 'unsatisfiable', message: 'No packages fit.', cure: 'Ask for less.', detail: '' };

describe('At the end of a job', () => {
  it.each<[string, Partial<Job>, unknown]>([
    [
      'a new kernel',
      { state: 'succeeded', verification },
      ['success', 'tf-warp-speed is ready.', 'Open notebook', 'Use in current notebook']
    ],
    [
      'a rebuilt kernel',
      { kind: 'rebuild', state: 'succeeded' },
      ['success', 'tf-warp-speed is ready.', 'Open notebook', 'Use in current notebook']
    ],
    [
      'a kernel without the GPU that it is for',
      { state: 'succeeded', verification: verification && { ...verification, outcome: 'gpu_not_seen' } },
      ['warning', 'tf-warp-speed is ready, but sees no GPU.', 'Open notebook', 'Use in current notebook', 'Show']
    ],
    [
      'a verified kernel',
      { kind: 'verify', state: 'succeeded', verification },
      ['success', 'tf-warp-speed is verified.']
    ],
    [
      'a kernel that does not work',
      { kind: 'verify', state: 'succeeded', verification: verification && { ...verification, outcome: 'failed' } },
      ['error', 'tf-warp-speed does not work.', 'Show']
    ],
    ['a removed kernel', { kind: 'remove', state: 'succeeded' }, ['success', 'tf-warp-speed is removed.']],
    [
      'a benchmark',
      {
        kind: 'benchmark',
        state: 'succeeded',
        benchmark: { ...BENCHMARK, speedups: { convolution: 90.7, matmul: 43.2 } }
      },
      ['success', 'tf-warp-speed: Convolution is 91 times as fast on the GPU.', 'Show']
    ],
    [
      'a benchmark of a CPU',
      { kind: 'benchmark', state: 'succeeded', benchmark: BENCHMARK },
      ['success', 'tf-warp-speed is measured, on the CPU only.', 'Show']
    ],
    [
      'a failure',
      { state: 'failed', error: ERROR },
      ['error', 'tf-warp-speed was not created. No packages fit. Ask for less.', 'Show']
    ],
    [
      'a failure without a word',
      { kind: 'remove', state: 'failed' },
      ['error', 'tf-warp-speed was not removed.', 'Show']
    ],
    ['a cancelled job', { state: 'cancelled' }, null]
  ])('%s is told', (_, job, expected) => {
    expect(said(job)).toEqual(expected);
  });

  it('a cure that would be cut is left to the panel', () => {
    const error = { ...ERROR, cure: 'Ask for less. '.repeat(8) };
    expect(said({ state: 'failed', error })).toEqual([
      'error',
      'tf-warp-speed was not created. No packages fit.',
      'Show'
    ]);
  });

  it('the current notebook is offered only if there is one', () => {
    expect(said({ state: 'succeeded', verification }, false)).toEqual([
      'success',
      'tf-warp-speed is ready.',
      'Open notebook'
    ]);
  });

  it('the actions execute commands', () => {
    const { commands, executed } = noted();
    const notice = noticeOf(aJob({ state: 'succeeded', verification }), trans, commands);
    notice?.options.actions?.forEach(({ callback }) => callback(new MouseEvent('click')));
    expect(executed).toEqual([
      [CommandIDs.openNotebook, { name: 'tf-warp-speed' }],
      [CommandIDs.useInNotebook, { name: 'tf-warp-speed' }]
    ]);
  });

  it('what took long stays until it is seen', () => {
    const { commands } = noted();
    expect(noticeOf(aJob({ state: 'failed', error: ERROR }), trans, commands)?.options.autoClose).toBe(false);
    expect(noticeOf(aJob({ kind: 'remove', state: 'succeeded' }), trans, commands)?.options.autoClose).toBe(5000);
  });
});

describe('The plugin', () => {
  it('tells the end of jobs of this server once, and of no others', async () => {
    const emit = vi.spyOn(Notification, 'emit').mockReturnValue('id');
    const model = new FakeGpuKernels();
    const stream = new Signal<object, object>({});
    const app = { commands: noted().commands, serviceManager: { events: { stream } } } as unknown as JupyterFrontEnd;
    void notificationsPlugin.activate(app, model, null);
    expect(model.calls).toEqual([{ method: 'listen', args: [] }]);
    stream.emit({ schema_id: JOB_SCHEMA_ID, id: 'ours', revision: 9, state: 'succeeded', stage: null });
    stream.emit({ schema_id: 'https://example.org/job/v1', id: 'foreign', revision: 1, state: 'running' });
    model.end(aJob({ id: 'foreign', state: 'succeeded' }));
    model.end(aJob({ id: 'ours', name: 'mine', state: 'succeeded' }));
    model.end(aJob({ id: 'ours', name: 'mine', state: 'succeeded' }));
    await vi.waitFor(() => expect(emit).toHaveBeenCalled());
    expect(emit.mock.calls.map(([message]) => message)).toEqual(['mine is ready.']);
  });
});
