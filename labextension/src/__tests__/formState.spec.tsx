/**
 * The fields of the form and its state: pure functions.
 */
import { describe, expect, it } from 'vitest';

import { asksForMore, fieldsOf, samePlan, specOf } from '../form/fields';
import { type Action, begin, currentSpec, freshPlan, type IState, primaryAction, reduce } from '../form/state';
import { forecast, whyNot } from '../form/variants';
import { nullTranslator } from '@jupyterlab/translation';
import { aFramework, aPlan, aRecipe, hardware, someDefaults } from './samples';

const DEFAULTS = someDefaults();
const trans = nullTranslator.load('jupyter_gpu_kernels');
const TENSORFLOW = aFramework();
const CUPY = aFramework({ id: 'cupy', title: 'CuPy', recipes: [aRecipe({ variant: 'gpu' })] });

function after(...actions: Action[]): IState {
  return actions.reduce(reduce, begin(DEFAULTS, {}));
}

const CATALOGUE: Action = { type: 'catalogue-read', frameworks: [TENSORFLOW, CUPY] };
const NAMED: Action = { type: 'edited', change: { name: 'mine' } };

function planned(...before: Action[]): IState {
  const state = after(CATALOGUE, NAMED, ...before);
  return reduce(state, { type: 'planned', spec: currentSpec(state), plan: aPlan() });
}

describe('what is asked for', () => {
  it('is only the name and the framework where nothing was chosen', () => {
    expect(specOf({ ...fieldsOf(DEFAULTS, {}), name: ' mine ' })).toEqual({ name: 'mine', framework: 'tensorflow' });
  });

  it('begins with the defaults of the person, over which a preset goes', () => {
    const defaults = someDefaults({ installer: 'pypi', channels: ['lab'], companions: false, memory: 'grow' });
    expect(specOf(fieldsOf(defaults, { name: 'x', installer: 'conda', framework: 'jax', cuda: '12.9' }))).toEqual({
      name: 'x',
      framework: 'jax',
      cuda: '12.9',
      installer: 'conda',
      channels: ['lab'],
      companions: false,
      memory: 'grow'
    });
  });

  it('keeps what a preset asks for and the form does not show', () => {
    const preset = { name: 'x', verify: false, sys_prefix: true };
    expect(currentSpec(begin(DEFAULTS, preset))).toEqual({ framework: 'tensorflow', ...preset });
  });

  it('has one package a line', () => {
    const fields = { ...fieldsOf(DEFAULTS, {}), name: 'x', packages: 'a >=1,<2\n\n  b\n', pip: '\n' };
    expect(specOf(fields)).toEqual({ name: 'x', framework: 'tensorflow', packages: ['a >=1,<2', 'b'] });
  });

  it('is seen at once where a preset asks for what few people do', () => {
    expect(asksForMore({ name: 'x', framework: 'jax', version: '0.6', variant: 'cpu', python: null, pip: [] })).toBe(
      false
    );
    expect(asksForMore({ name: 'x', pip: ['einops'] })).toBe(true);
  });

  it('has the same plan whatever it is called', () => {
    const spec = { name: 'x', framework: 'jax' };
    expect(samePlan(spec, { ...spec, name: 'y', display_name: 'Y', memory: 'grow' })).toBe(true);
    expect(samePlan(spec, { ...spec, cuda: '12.9' })).toBe(false);
  });
});

describe('the plan', () => {
  it('lets the primary button create', () => {
    expect(primaryAction(after(CATALOGUE, NAMED))).toBe('preview');
    expect(primaryAction(planned())).toBe('create');
  });

  it('is stale after a change of a field, and fresh again once that is undone', () => {
    const changed = reduce(planned(), { type: 'edited', change: { python: '3.12' } });
    expect([freshPlan(changed), primaryAction(changed)]).toEqual([null, 'preview']);
    expect(changed.answer?.plan).toEqual(aPlan());
    const undone = reduce(changed, { type: 'edited', change: { python: '' } });
    expect(primaryAction(undone)).toBe('create');
  });

  it('cannot be created when it is a refusal', () => {
    const state = after(CATALOGUE, NAMED);
    const plan = aPlan({ refusal: { reason: 'No GPU.', cure: 'Buy one.', detail: '' } });
    expect(primaryAction(reduce(state, { type: 'planned', spec: currentSpec(state), plan }))).toBe('preview');
  });

  it('is no longer waited for once something else is asked for', () => {
    const solving = after(CATALOGUE, NAMED, { type: 'solving' });
    expect(reduce(solving, { type: 'edited', change: { name: 'other' } }).phase).toBe('solving');
    expect(reduce(solving, { type: 'edited', change: { version: '2.19' } }).phase).toBe('editing');
  });

  it('stays when the creation fails, so that it can be tried again', () => {
    const failed = reduce(reduce(planned(), { type: 'creating' }), { type: 'failed', reason: new Error('no') });
    expect([failed.phase, primaryAction(failed), failed.attention]).toEqual(['editing', 'create', { to: 'answer' }]);
  });
});

describe('the name', () => {
  const SUGGESTED: Action = { type: 'name-suggested', framework: 'tensorflow', name: 'tf-warp-speed' };

  it('is suggested until the person has typed one', () => {
    expect(after(CATALOGUE, SUGGESTED).fields.name).toBe('tf-warp-speed');
    expect(after(CATALOGUE, NAMED, SUGGESTED).fields.name).toBe('mine');
    expect(after(CATALOGUE, NAMED, { type: 'edited', change: { name: '' } }, SUGGESTED).fields.name).toBe(
      'tf-warp-speed'
    );
  });

  it('is not suggested for a framework that is no longer chosen', () => {
    expect(after(CATALOGUE, { type: 'edited', change: { framework: 'cupy' } }, SUGGESTED).fields.name).toBe('');
  });

  it('is not judged by the answer about an older one', () => {
    const problem = { code: 'name_taken', message: 'Taken.', cure: 'Choose another.', detail: '' };
    expect(after(NAMED, { type: 'name-checked', name: 'mi', problem }).nameNote).toBeNull();
    const judged = after(NAMED, { type: 'name-checked', name: 'mine', problem });
    expect(judged.nameNote).toEqual({ kind: 'refused', reason: problem });
    expect(reduce(judged, { type: 'edited', change: { name: 'mine2' } }).nameNote).toBeNull();
  });
});

describe('the framework', () => {
  it('takes its version along, and a variant that the next one lacks', () => {
    const state = after(
      CATALOGUE,
      { type: 'edited', change: { version: '2.19', variant: 'cpu' } },
      { type: 'edited', change: { framework: 'cupy' } }
    );
    expect([state.fields.version, state.fields.variant]).toEqual(['', 'auto']);
  });

  it('is the first of a catalogue without the usual one', () => {
    expect(after({ type: 'catalogue-read', frameworks: [CUPY] }).fields.framework).toBe('cupy');
  });

  it('says why it lacks a variant', () => {
    const absences = [{ variant: 'cpu', installer: 'auto', reason: 'GPUs only.', cure: 'Take NumPy.' } as const];
    expect(whyNot(trans, CUPY, 'cpu')).toBe('CuPy has no build for the CPU alone.');
    expect(whyNot(trans, { ...CUPY, absences: [...absences] }, 'cpu')).toBe('GPUs only.');
    expect(whyNot(trans, CUPY, 'gpu')).toBe('');
  });
});

describe('what auto will take', () => {
  const fields = fieldsOf(DEFAULTS, {});

  it('is the GPU that is there', () => {
    expect(forecast(trans, TENSORFLOW, fields, hardware())).toEqual({
      variant: 'gpu',
      reason: 'This machine’s driver 580.159.04 allows CUDA up to 13.0 (NVIDIA H200).'
    });
  });

  it('is the CPU without one, and why', () => {
    const none = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no NVIDIA driver.' });
    expect(forecast(trans, TENSORFLOW, fields, none)).toEqual({ variant: 'cpu', reason: 'There is no NVIDIA driver.' });
  });

  it('is nothing without a GPU where there is no build for the CPU', () => {
    const none = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no NVIDIA driver.' });
    expect(forecast(trans, CUPY, fields, none)).toEqual({
      variant: null,
      reason: 'CuPy needs a GPU. There is no NVIDIA driver.'
    });
  });

  it('is the GPU where another machine is meant', () => {
    const none = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no NVIDIA driver.' });
    expect(forecast(trans, TENSORFLOW, { ...fields, targetCuda: '12.4' }, none)).toEqual({
      variant: 'gpu',
      reason: 'The other machine’s driver allows CUDA up to 12.4.'
    });
  });

  it('is not known before the machine is', () => {
    expect(forecast(trans, TENSORFLOW, fields, null).variant).toBeNull();
  });
});
