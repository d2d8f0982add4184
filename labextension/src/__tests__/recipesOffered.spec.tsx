/**
 * What is offered where the kernel that a notebook carries is missing.
 */
import type { KernelSpec } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { act, fireEvent, render, screen } from '@testing-library/react';
import * as React from 'react';
import { describe, expect, it, vi } from 'vitest';

import { OfferView } from '../recipes/banner';
import { KEY, read } from '../recipes/carried';
import { BuildQuestion } from '../recipes/dialog';
import { KernelOffer } from '../recipes/offer';
import { ApiError } from '../request';
import type { Job } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { notebook, RECIPE, specsOf } from './recipeFixtures';
import { anEnvironment, aJob, aPlan, aSpec } from './samples';

const trans = nullTranslator.load('');

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
