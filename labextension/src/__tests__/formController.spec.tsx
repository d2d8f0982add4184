/**
 * The form at work, with a model that answers from memory.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FormController } from '../form/controller';
import { primaryAction } from '../form/state';
import { ApiError } from '../request';
import type { Job, NameCheck, Plan } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { aFramework, aPlan, someDefaults } from './samples';

const DEFAULTS = someDefaults();

function refusing(code: string): ApiError {
  return new ApiError(409, { code, message: `It is ${code}.`, cure: 'Do something else.', detail: '' });
}

/** A promise to be settled by hand. */
function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

let model: FakeGpuKernels;
let controller: FormController;

beforeEach(async () => {
  vi.useFakeTimers();
  model = new FakeGpuKernels();
  model.answers.frameworks = () => Promise.resolve([aFramework(), aFramework({ id: 'jax', title: 'JAX' })]);
  controller = new FormController({ model, defaults: DEFAULTS });
  await controller.load();
  model.calls.length = 0;
});

afterEach(() => {
  controller.dispose();
  vi.useRealTimers();
});

describe('the beginning', () => {
  it('reads the catalogue and suggests a name', () => {
    expect(controller.state.frameworks?.map(({ id }) => id)).toEqual(['tensorflow', 'jax']);
    expect(controller.state.fields.name).toBe('tensorflow-1');
  });

  it('says when the catalogue cannot be read, and reads it when asked again', async () => {
    const answer = model.answers.frameworks;
    model.answers.frameworks = () => Promise.reject(refusing('error'));
    const other = new FormController({ model, defaults: DEFAULTS });
    await other.load();
    expect(other.state.catalogueFailure?.reason).toEqual(refusing('error'));
    model.answers.frameworks = answer;
    await other.load();
    expect([other.state.catalogueFailure, other.state.frameworks?.length]).toEqual([null, 2]);
    other.dispose();
  });

  it('checks the name of a preset', async () => {
    const other = new FormController({ model, defaults: DEFAULTS, preset: { name: 'theirs', framework: 'jax' } });
    await other.load();
    expect(model.calls.filter(({ method }) => /Name/.test(method))).toEqual([
      { method: 'checkName', args: ['theirs'] }
    ]);
    other.dispose();
  });
});

describe('the name', () => {
  it('is checked once the typing pauses', async () => {
    for (const name of ['m', 'mi', 'mine']) {
      controller.edit({ name });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(model.calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(300);
    expect(model.calls).toEqual([{ method: 'checkName', args: ['mine'] }]);
  });

  it('is no longer checked once it is another', async () => {
    const answer = promised<NameCheck>();
    let signal: AbortSignal | undefined;
    model.answers.checkName = (_, given) => {
      signal = given;
      return answer.promise;
    };
    controller.edit({ name: 'mine' });
    await vi.advanceTimersByTimeAsync(300);
    controller.edit({ name: 'mine2' });
    expect(signal?.aborted).toBe(true);
    answer.reject(signal?.reason);
    await vi.advanceTimersByTimeAsync(0);
    expect(controller.state.nameNote).toBeNull();
  });

  it('is suggested anew with the framework, unless typed', async () => {
    controller.edit({ framework: 'jax' });
    await vi.advanceTimersByTimeAsync(0);
    expect(controller.state.fields.name).toBe('jax-1');
    controller.edit({ name: 'mine' });
    controller.edit({ framework: 'tensorflow' });
    await vi.advanceTimersByTimeAsync(0);
    expect(controller.state.fields.name).toBe('mine');
  });

  it('is missed without asking the server', async () => {
    controller.edit({ name: ' ' });
    await controller.submit();
    expect(controller.state.nameNote).toEqual({ kind: 'missing' });
    expect(model.calls).toEqual([]);
  });
});

describe('the preview', () => {
  it('is asked for what differs from the defaults', async () => {
    controller.edit({ variant: 'cpu', pip: 'einops' });
    await controller.submit();
    const spec = { name: 'tensorflow-1', framework: 'tensorflow', variant: 'cpu', pip: ['einops'] };
    expect(model.calls).toEqual([{ method: 'plan', args: [spec] }]);
    expect(primaryAction(controller.state)).toBe('create');
  });

  it('is aborted by Stop, by a change and by the end of the dialog', async () => {
    const signals: AbortSignal[] = [];
    model.answers.plan = (_, signal) => {
      signals.push(signal);
      return new Promise<Plan>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    for (const end of [
      () => controller.stop(),
      () => controller.edit({ python: '3.12' }),
      () => controller.dispose()
    ]) {
      const submitted = controller.submit();
      expect(controller.state.phase).toBe('solving');
      end();
      await submitted;
      expect(signals.at(-1)?.aborted).toBe(true);
      expect(controller.state.failure).toBeNull();
    }
    expect(signals.length).toBe(3);
  });

  it('takes no answer to what is no longer asked', async () => {
    const answer = promised<Plan>();
    model.answers.plan = () => answer.promise;
    const submitted = controller.submit();
    controller.edit({ version: '2.18' });
    answer.resolve(aPlan());
    await submitted;
    expect(controller.state.answer).toBeNull();
  });

  it('is not begun twice', async () => {
    const answer = promised<Plan>();
    model.answers.plan = () => answer.promise;
    const submitted = controller.submit();
    await controller.submit();
    answer.resolve(aPlan());
    await submitted;
    expect(model.calls.length).toBe(1);
  });

  it('shows a failure and loses nothing', async () => {
    controller.edit({ pip: 'einops' });
    model.answers.plan = () => Promise.reject(refusing('channel'));
    await controller.submit();
    expect(controller.state.failure?.reason).toEqual(refusing('channel'));
    expect(controller.state.fields.pip).toBe('einops');
  });

  it('is asked again with what a cure changes', async () => {
    await controller.cure({ variant: 'cpu' });
    expect(model.calls.map(({ method, args }) => [method, args])).toEqual([
      ['plan', [{ name: 'tensorflow-1', framework: 'tensorflow', variant: 'cpu' }]]
    ]);
  });
});

describe('the creation', () => {
  beforeEach(async () => {
    await controller.submit();
    model.calls.length = 0;
  });

  it('begins a job', async () => {
    const begun: Job[] = [];
    controller.begun.connect((_, job) => begun.push(job));
    await controller.submit();
    expect(model.calls).toEqual([{ method: 'create', args: [{ name: 'tensorflow-1', framework: 'tensorflow' }] }]);
    expect(begun).toEqual([controller.job]);
  });

  it.each(['invalid_name', 'name_taken', 'environment_busy'])('shows %s at the name', async code => {
    model.answers.job = () => Promise.reject(refusing(code));
    await controller.submit();
    expect(controller.state.nameNote).toEqual({ kind: 'refused', reason: refusing(code) });
    expect(controller.state.attention).toEqual({ to: 'name' });
    expect(primaryAction(controller.state)).toBe('create');
  });

  it('cancels a job that begins after the person gave up', async () => {
    const answer = promised<void>();
    const job = model.answers.job;
    model.answers.job = given => answer.promise.then(() => job(given));
    const submitted = controller.submit();
    controller.dispose();
    answer.resolve();
    await submitted;
    expect(model.calls.at(-1)).toEqual({ method: 'cancel', args: ['job-1'] });
  });
});
