/**
 * What notebooks carry of their kernels: written without need for nobody, and offered where the kernel is missing.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { type PartialJSONValue, PromiseDelegate } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { act, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { OfferView } from '../recipes/banner';
import { environmentOf, KEY, read } from '../recipes/carried';
import { BuildQuestion } from '../recipes/dialog';
import { RecipeKeeper } from '../recipes/keeper';
import { KernelOffer } from '../recipes/offer';
import { ApiError } from '../request';
import type { Job } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { anEnvironment, aJob, aPlan, aSpec } from './samples';

const RECIPE = {
  schema_version: 1,
  name: 'TF-warp-speed',
  display_name: 'tf-warp-speed (TensorFlow 2.19 · CUDA 12.9)',
  spec: { name: 'TF-warp-speed', framework: 'tensorflow' },
  original: { framework_version: '2.19.0' }
};

const trans = nullTranslator.load('');

/** Kernelspecs, ours by the names of their environments. */
function specsOf(ours: Record<string, string>) {
  const kernelspecs: Record<string, object> = { python3: { metadata: {} } };
  for (const [name, environment] of Object.entries(ours)) {
    kernelspecs[name] = { metadata: { [KEY]: { environment } } };
  }
  return { kernelspecs } as unknown as KernelSpec.ISpecModels;
}

/** A notebook with a kernel. */
function notebook(kernelName: string, metadata: Record<string, unknown> = {}) {
  const sessionContext = {
    session: { kernel: { name: kernelName } },
    kernelChanged: new Signal<object, void>({}),
    statusChanged: new Signal<object, string>({}),
    changeKernel: vi.fn(({ name }: { name: string }) => {
      sessionContext.session.kernel.name = name;
      sessionContext.kernelChanged.emit();
      return Promise.resolve();
    })
  };
  const written: unknown[] = [];
  const model = {
    dirty: false,
    collaborative: false,
    readOnly: false,
    getMetadata: (key: string) => metadata[key],
    setMetadata: (key: string, value: unknown) => {
      metadata[key] = value;
      written.push(value);
    }
  };
  const saveState = new Signal<object, string>({});
  const context = { model, saveState, contentsModel: { writable: true } };
  const panel = { context, sessionContext, disposed: new Signal<object, void>({}) } as unknown as NotebookPanel;
  return { panel, sessionContext, context, model, saveState, written };
}

/** A keeper whose server has a recipe for each environment. */
function keeping(kernelName: string, metadata: Record<string, unknown> = {}, isWanted = true) {
  const made = notebook(kernelName, metadata);
  const model = new FakeGpuKernels();
  const asked: string[] = [];
  const recipes: Record<string, PartialJSONValue> = { 'TF-warp-speed': RECIPE, other: { ...RECIPE, name: 'other' } };
  model.answers.ask = what => {
    asked.push(what);
    return Promise.resolve(recipes[what.split('/')[1]]);
  };
  const kernelspecs = { specs: specsOf({ 'tf-warp-speed': 'TF-warp-speed', other: 'other' }) };
  const keeper = new RecipeKeeper({ panel: made.panel, model, kernelspecs, isWanted: () => isWanted });
  const settle = () => new Promise(resolve => setTimeout(resolve));
  const save = () => made.saveState.emit('started');
  return { ...made, gpuKernels: model, keeper, asked, recipes, settle, save };
}

describe('What a notebook carries', () => {
  it('is read as far as it is shown', () => {
    expect(read(RECIPE)).toEqual({
      name: 'TF-warp-speed',
      kernelName: 'tf-warp-speed',
      title: RECIPE.display_name,
      framework: 'tensorflow',
      version: '2.19.0',
      recipe: RECIPE
    });
  });

  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    {},
    { name: '../up' },
    { name: 'a b' },
    { name: 7 },
    { name: 'x'.repeat(65) }
  ])('is nothing where it makes no sense: %j', recipe => expect(read(recipe)).toBeNull());

  it.each(['', 7, 'x'.repeat(101), '\u202egnp.exe', 'a\u2028b'])(
    'is shown by its name where its title is %j',
    title => {
      expect(read({ ...RECIPE, display_name: title })?.title).toBe('TF-warp-speed');
    }
  );

  it('is of a kernel of ours', () => {
    const specs = specsOf({ 'tf-warp-speed': 'TF-warp-speed' });
    expect(['tf-warp-speed', 'python3', 'none', 'toString'].map(name => environmentOf(specs, name))).toEqual([
      'TF-warp-speed',
      '',
      '',
      ''
    ]);
  });
});

describe('The keeper', () => {
  it('writes when something is saved, and once', async () => {
    const { written, save, settle } = keeping('tf-warp-speed');
    await settle();
    expect(written).toEqual([]);
    save();
    save();
    expect(written).toEqual([RECIPE]);
  });

  it('leaves a notebook alone that carries that already', async () => {
    const { written, save, settle } = keeping('tf-warp-speed', { [KEY]: structuredClone(RECIPE) });
    await settle();
    save();
    expect(written).toEqual([]);
  });

  it('writes at once where there is something to be saved anyway', async () => {
    const { model, sessionContext, written, settle } = keeping('python3');
    await settle();
    model.dirty = true;
    await sessionContext.changeKernel({ name: 'tf-warp-speed' });
    await settle();
    expect(written).toEqual([RECIPE]);
  });

  it('keeps what it carries while another kernel is used for a while', async () => {
    const metadata = { [KEY]: RECIPE };
    const { sessionContext, written, asked, save, settle } = keeping('tf-warp-speed', metadata);
    await settle();
    await sessionContext.changeKernel({ name: 'python3' });
    save();
    expect([written, asked.length, metadata[KEY]]).toEqual([[], 1, RECIPE]);
  });

  it('takes the recipe of another kernel of ours', async () => {
    const { sessionContext, recipes, written, save, settle } = keeping('tf-warp-speed', { [KEY]: RECIPE });
    await sessionContext.changeKernel({ name: 'other' });
    await settle();
    save();
    expect(written).toEqual([recipes.other]);
  });

  it('brings it up to date after a change of the environment', async () => {
    const { gpuKernels, sessionContext, recipes, written, save, settle } = keeping('tf-warp-speed', { [KEY]: RECIPE });
    await settle();
    for (const [digest, happen] of [
      ['a', () => sessionContext.statusChanged.emit('restarting')],
      ['b', () => gpuKernels.end(aJob({ kind: 'edit', name: 'TF-warp-speed', state: 'succeeded' }))]
    ] as const) {
      recipes['TF-warp-speed'] = { ...RECIPE, original: { digest } };
      happen();
      await settle();
      save();
    }
    expect(written).toEqual([
      { ...RECIPE, original: { digest: 'a' } },
      { ...RECIPE, original: { digest: 'b' } }
    ]);
  });

  it.each([
    ['that is read only', (made: ReturnType<typeof keeping>) => (made.model.readOnly = true)],
    ['that cannot be written', (made: ReturnType<typeof keeping>) => (made.context.contentsModel.writable = false)],
    ['whose kernel is being offered', (made: ReturnType<typeof keeping>) => (made.keeper.isHeld = true)],
    ['that was closed', (made: ReturnType<typeof keeping>) => made.keeper.dispose()]
  ])('writes nothing into one %s', async (_, prepare) => {
    const made = keeping('tf-warp-speed');
    await made.settle();
    prepare(made);
    made.save();
    expect(made.written).toEqual([]);
  });

  it('writes nothing where the person does not want it, nor of a kernel without a recipe', async () => {
    const unwanted = keeping('tf-warp-speed', {}, false);
    const adopted = keeping('python3');
    adopted.gpuKernels.answers.ask = () => Promise.reject(new Error('404'));
    await adopted.sessionContext.changeKernel({ name: 'other' });
    await unwanted.settle();
    unwanted.save();
    adopted.save();
    expect([unwanted.written, adopted.written]).toEqual([[], []]);
  });
});

/** An offer for a notebook with Python 3. */
function offering(carried = read(RECIPE)!) {
  const made = notebook('python3', { [KEY]: RECIPE });
  const model = new FakeGpuKernels();
  const specs = { current: specsOf({}) };
  const specsChanged = new Signal<object, KernelSpec.ISpecModels>({});
  const refreshSpecs = vi.fn(() => {
    specs.current = specsOf({ 'tf-warp-speed': 'TF-warp-speed', mine: 'mine' });
    specsChanged.emit(specs.current);
    return Promise.resolve();
  });
  const kernelspecs = {
    get specs() {
      return specs.current;
    },
    specsChanged,
    refreshSpecs
  } as unknown as KernelOffer.IOptions['kernelspecs'];
  const ask = vi.fn((): Promise<Job | string | null> => model.create({ name: 'TF-warp-speed' }));
  const offer = new KernelOffer({ carried, panel: made.panel, model, kernelspecs, ask });
  const settled: boolean[] = [];
  offer.settled.connect((_, isChanged) => void settled.push(isChanged));
  const view = render(<OfferView offer={offer} trans={trans} />);
  const look = () => view.rerender(<OfferView offer={offer} trans={trans} />);
  offer.changed.connect(() => act(look));
  return { ...made, gpuKernels: model, offer, ask, settled, refreshSpecs };
}

const button = (name: string) => screen.getByRole('button', { name });

describe('The offer', () => {
  it('says what is missing, and does nothing before it is asked to', () => {
    const { gpuKernels, ask } = offering();
    expect(screen.getByRole('status').textContent).toBe(
      `This notebook was made with the kernel ${RECIPE.display_name}, which is not on this computer.`
    );
    expect(ask).not.toHaveBeenCalled();
    expect(gpuKernels.calls.filter(({ method }) => method !== 'start')).toEqual([]);
  });

  it('shows the build, and gives the notebook its kernel in the end', async () => {
    const { gpuKernels, sessionContext, settled, ask } = offering();
    fireEvent.click(button('Build this kernel'));
    await vi.waitFor(() => expect(screen.getByRole('progressbar')).toBeDefined());
    expect(ask).toHaveBeenCalledOnce();
    act(() => gpuKernels.end({ ...gpuKernels.jobs[0], state: 'succeeded' }));
    await vi.waitFor(() => expect(sessionContext.changeKernel).toHaveBeenCalledWith({ name: 'tf-warp-speed' }));
    expect(settled[0]).toBe(true);
  });

  it('takes a kernel instead that the question has named', async () => {
    const { ask, sessionContext, settled } = offering();
    ask.mockResolvedValueOnce('Mine');
    fireEvent.click(button('Build this kernel'));
    await vi.waitFor(() => expect(sessionContext.changeKernel).toHaveBeenCalledWith({ name: 'mine' }));
    expect(settled).toEqual([true]);
  });

  it('tells why a build failed, and can be taken again', async () => {
    const { gpuKernels } = offering();
    fireEvent.click(button('Build this kernel'));
    await vi.waitFor(() => expect(screen.getByRole('progressbar')).toBeDefined());
    const error = { code: 'download_failed', message: 'The disk is full.', cure: 'Make room.', detail: '' };
    act(() => gpuKernels.end({ ...gpuKernels.jobs[0], state: 'failed', error }));
    expect(screen.getByRole('alert').textContent).toContain('The disk is full. Make room.');
    expect(button('Build this kernel')).toBeDefined();
  });

  it('can be stopped', async () => {
    const { gpuKernels } = offering();
    fireEvent.click(button('Build this kernel'));
    await vi.waitFor(() => fireEvent.click(button('Cancel')));
    await vi.waitFor(() => expect(gpuKernels.calls.some(({ method }) => method === 'cancel')).toBe(true));
  });

  it('follows a build that began before the page was loaded', () => {
    const { gpuKernels } = offering();
    act(() => void (gpuKernels.jobs = [aJob({ kind: 'create', name: 'TF-warp-speed', state: 'running' })]));
    expect(screen.getByRole('progressbar')).toBeDefined();
  });

  it('names a kernel that is here and will do', async () => {
    const { gpuKernels, sessionContext, settled } = offering();
    act(() => {
      gpuKernels.environments = [
        anEnvironment({ name: 'older', framework_version: '2.18.0' }),
        anEnvironment({ name: 'broken', damaged: 'It is.' }),
        anEnvironment({ name: 'mine', framework_version: '2.19.1' })
      ];
    });
    fireEvent.click(button('Use mine instead'));
    await vi.waitFor(() => expect(sessionContext.changeKernel).toHaveBeenCalledWith({ name: 'mine' }));
    expect(settled).toEqual([true]);
  });

  it('hears of a kernel that comes from elsewhere', async () => {
    const { refreshSpecs, sessionContext } = offering();
    await act(() => refreshSpecs());
    expect(screen.getByRole('status').textContent).toContain('which is on this computer now');
    fireEvent.click(button('Use it'));
    await vi.waitFor(() => expect(sessionContext.changeKernel).toHaveBeenCalledWith({ name: 'tf-warp-speed' }));
  });

  it('is over when somebody chooses that kernel in another way, or wants none', async () => {
    const { sessionContext, settled } = offering();
    fireEvent.click(button('Dismiss'));
    await act(() => sessionContext.changeKernel({ name: 'tf-warp-speed' }));
    expect(settled).toEqual([false, true]);
  });

  it('tells why a kernel could not be used', async () => {
    const { refreshSpecs, sessionContext } = offering();
    await act(() => refreshSpecs());
    sessionContext.changeKernel.mockRejectedValueOnce(new Error('It died.'));
    fireEvent.click(button('Use it'));
    await vi.waitFor(() => expect(screen.getByRole('alert').textContent).toContain('It died.'));
  });
});

/** The question before a build. */
function asking(answer: () => Promise<unknown>) {
  const model = new FakeGpuKernels();
  model.answers.ask = answer;
  const ended: (Job | string | null)[] = [];
  render(<BuildQuestion model={model} carried={read(RECIPE)!} trans={trans} onEnd={job => void ended.push(job)} />);
  return { model, ended };
}

const SPEC = aSpec({ name: 'tf-warp-speed-2', packages: ['einops'], pip: ['rich'] });

const ANSWER = {
  spec: SPEC,
  plan: aPlan({ spec: SPEC }),
  differences: [
    { what: 'Built for', before: 'CUDA 12.9', after: 'CPU' },
    { what: 'toString', before: '<b>', after: '' }
  ],
  present: 'mine'
};

describe('The question before a build', () => {
  it('waits for the plan, which it shows with what differs', async () => {
    const answer = new PromiseDelegate<unknown>();
    const { model, ended } = asking(() => answer.promise);
    expect(screen.getByRole('status').textContent).toBe('Finding packages that fit this computer…');
    fireEvent.click(button('Build'));
    expect(model.calls.map(({ method }) => method)).toEqual(['POST recipes/plan']);
    expect(model.calls[0].args).toEqual([{ recipe: RECIPE, name: null }]);
    await act(async () => {
      answer.resolve(ANSWER);
      await answer.promise;
    });
    const rows = screen.getAllByRole('row').map(row => [...row.children].map(cell => cell.textContent));
    expect(rows).toEqual([
      ['', 'There', 'Here'],
      ['Built for', 'CUDA 12.9', 'CPU'],
      ['toString', '<b>', '']
    ]);
    expect(screen.getByRole('heading').textContent).toBe('To be built here as tf-warp-speed-2');
    expect(screen.getByText(/einops, rich/)).toBeDefined();
    expect(screen.getByText(/made in the same way: mine/)).toBeDefined();
    fireEvent.click(button('Build'));
    await vi.waitFor(() => expect(ended).toMatchObject([{ name: 'tf-warp-speed-2' }]));
  });

  it('shows why a notebook is refused, and builds nothing of it', async () => {
    const report = { code: 'invalid_package', message: 'It names a place.', cure: 'Create one yourself.', detail: '' };
    const { model, ended } = asking(() => Promise.reject(new ApiError(400, report)));
    await vi.waitFor(() => expect(screen.getByRole('alert').textContent).toContain('It names a place.'));
    fireEvent.click(button('Close'));
    expect([ended, model.calls.length]).toEqual([[null], 1]);
    expect(screen.queryByRole('button', { name: 'Try again' })).toBeNull();
  });

  it('offers what is here already and was made in the same way', async () => {
    const { ended } = asking(() => Promise.resolve(ANSWER));
    await vi.waitFor(() => fireEvent.click(button('Use mine instead')));
    expect(ended).toEqual(['mine']);
  });

  it('shows why it cannot be built here', async () => {
    const refusal = { reason: 'The driver is too old.', cure: 'Update it.', detail: '' };
    asking(() => Promise.resolve({ ...ANSWER, plan: aPlan({ refusal }) }));
    await vi.waitFor(() => expect(screen.getByText('The driver is too old.')).toBeDefined());
    expect(screen.queryByRole('button', { name: 'Build' })).toBeNull();
  });

  it('keeps the plan where the build is refused', async () => {
    const { model, ended } = asking(() => Promise.resolve(ANSWER));
    model.answers.job = () => Promise.reject(new Error('The name is taken.'));
    await vi.waitFor(() => expect(screen.getByRole('table')).toBeDefined());
    fireEvent.click(button('Build'));
    await vi.waitFor(() => expect(screen.getByRole('alert').textContent).toContain('The name is taken.'));
    expect([ended, screen.getByRole('table') !== null]).toEqual([[], true]);
  });
});
