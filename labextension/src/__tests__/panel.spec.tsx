import type { Kernel } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { GpuKernelsPanel } from '../panel';
import { ApiError, LocalCodes } from '../request';
import { FakeGpuKernels } from './fakes';
import { NotedCommands, SomeSessions, someSpecs } from './panelFixtures';
import { aGpu, anEnvironment, hardware } from './samples';

let model: FakeGpuKernels;
let panel: GpuKernelsPanel;

beforeEach(() => {
  document.documentElement.lang = 'en';
  globalThis.requestIdleCallback ??= ((callback: () => void) => setTimeout(callback)) as typeof requestIdleCallback;
  model = new FakeGpuKernels();
  panel = new GpuKernelsPanel({
    model,
    commands: new NotedCommands(),
    kernels: {} as Kernel.IManager,
    sessions: new SomeSessions().manager,
    specs: someSpecs(null),
    translator: nullTranslator
  });
});

afterEach(() => {
  panel.dispose();
});

async function attach(): Promise<void> {
  await act(async () => {
    Widget.attach(panel, document.body);
    return Promise.resolve();
  });
}

describe('the panel', () => {
  it('begins to read when it is seen, and not before', async () => {
    panel.hide();
    await attach();
    expect(model.calls.filter(({ method }) => method === 'start')).toEqual([]);
    act(() => panel.show());
    expect(model.calls.filter(({ method }) => method === 'start')).toHaveLength(1);
  });

  it('says what the machine has', async () => {
    const gpus = [aGpu(), aGpu({ index: 1, uuid: 'GPU-2' }), aGpu({ index: 2, uuid: 'GPU-3', name: 'NVIDIA T4' })];
    model.hardware = hardware({ gpus });
    await attach();
    for (const name of ['0 · NVIDIA H200', '1 · NVIDIA H200', 'NVIDIA T4']) {
      expect(await screen.findByRole('button', { name })).toBeTruthy();
    }
    expect(screen.getByText('Driver 580.159.04 · CUDA up to 13.0')).toBeTruthy();
    act(() => {
      model.hardware = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no driver.' });
    });
    expect(screen.getByRole('region', { name: 'This machine' }).textContent).toContain('No GPUThere is no driver.');
  });

  it('says that it reads until it has', async () => {
    model.isReady = false;
    model.hardware = null;
    await attach();
    expect(await screen.findByText('Reading the GPU kernels…')).toBeTruthy();
    expect(screen.getByText('Looking for GPUs…')).toBeTruthy();
  });

  it('keeps what it has read while the server is away, and tries again', async () => {
    const gone = new ApiError(0, { code: LocalCodes.UNREACHABLE, message: 'Failed to fetch', cure: '', detail: '' });
    model.environments = [anEnvironment()];
    model.error = gone;
    await attach();
    expect(await screen.findByRole('heading', { name: 'Offline' })).toBeTruthy();
    expect(screen.getByRole('alert').textContent).toContain('The Jupyter server does not answer.');
    expect(screen.getByRole('heading', { name: /^tf-warp-speed/ })).toBeTruthy();

    let answer = () => {};
    model.answers.done = () => new Promise<void>(resolve => (answer = resolve));
    fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
    const retry = screen.getByRole<HTMLButtonElement>('button', { name: 'Reconnecting…' });
    expect(retry.ariaDisabled).toBe('true');
    await act(async () => {
      answer();
      return Promise.resolve();
    });
    expect(retry.ariaDisabled).toBeNull();
    act(() => {
      model.error = null;
    });
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('measures how long new data take to the screen', async () => {
    await attach();
    performance.clearMeasures();
    act(() => {
      model.environments = [anEnvironment(), anEnvironment({ name: 'other' })];
    });
    await waitFor(() => expect(performance.getEntriesByType('measure')).toHaveLength(1));
    const [entry] = performance.getEntriesByType('measure') as PerformanceMeasure[];
    expect([entry.name, entry.detail]).toEqual(['gpu-kernels:data-to-paint', { environments: 2 }]);
    // A job that moves on brings no new list.
    act(() => {
      model.jobs = [];
    });
    await vi.waitFor(() => expect(performance.getEntriesByType('measure')).toHaveLength(1));
  });
});
