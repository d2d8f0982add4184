/**
 * What the GPUs do and for whom, as people see it.
 */
import { Dialog } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { holderName, holderState } from '../components/gpuHolderWords';
import { hueOf, segmentsOf } from '../components/gpuShares';
import { Machine } from '../components/machine';
import { devicesOf } from '../devices';
import { LiveUsage } from '../liveUsage';
import type { Framework, GpuUsage, Hardware } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { aSession, NotedCommands, SomeSessions, trans } from './panelFixtures';
import { aFramework, aGpu, aReading, aShare, aUsage, hardware } from './samples';

// Dialogs render when the browser has nothing else to do.
globalThis.requestIdleCallback ??= callback => Number(setTimeout(callback));

const G = 2 ** 30;

let model: FakeGpuKernels;
let live: LiveUsage;
let commands: NotedCommands;
let sessions: SomeSessions;
const shutdown = vi.fn<(id: string) => Promise<void>>();

beforeEach(() => {
  document.documentElement.lang = 'en';
  model = new FakeGpuKernels();
  live = new LiveUsage(model);
  commands = new NotedCommands();
  for (const id of ['docmanager:open', 'console:open']) {
    commands.addCommand(id, {
      label: id,
      describedBy: { args: { type: 'object' } },
      execute: args => void commands.noted.push({ id, ...args })
    });
  }
  sessions = new SomeSessions([aSession('tf-warp-speed', 'train.ipynb')]);
  shutdown.mockReset().mockResolvedValue();
});

afterEach(() => {
  live.dispose();
});

async function show(
  usage: GpuUsage | null,
  machine: Hardware = hardware(),
  frameworks: readonly Framework[] = []
): Promise<void> {
  model.hardware = machine;
  model.answers.gpuUsage = () => (usage ? Promise.resolve(usage) : new Promise(() => undefined));
  live.isWatched = true;
  if (usage) {
    await vi.waitFor(() => expect(live.usage).toBe(usage));
  }
  render(
    <Machine
      hardware={machine}
      usage={live}
      frameworks={frameworks}
      commands={commands}
      kernels={{ shutdown } as unknown as Kernel.IManager}
      sessions={sessions.manager}
      trans={trans}
    />
  );
}

function open(name = 'NVIDIA H200'): HTMLElement {
  const button = screen.getByRole('button', { name });
  fireEvent.click(button);
  return button;
}

describe('a GPU', () => {
  it('is measured, for eyes and for screen readers', async () => {
    await show(
      aUsage({ readings: [aReading({ utilization: 37, memory_used: 35.25 * G, memory_total: 141 * G })], shares: [] })
    );
    const [busy, memory] = screen.getAllByRole('meter');
    expect([
      busy.getAttribute('aria-label'),
      busy.getAttribute('aria-valuenow'),
      busy.getAttribute('aria-valuetext')
    ]).toEqual(['Computing on NVIDIA H200', '37', '37% busy']);
    expect([
      memory.getAttribute('aria-label'),
      memory.getAttribute('aria-valuenow'),
      memory.getAttribute('aria-valuetext')
    ]).toEqual(['Memory of NVIDIA H200', '25', '35 of 141 GiB']);
  });

  it('shows no memory of its own where it shares that of the processor', async () => {
    const readings = [aReading({ memory_total: 0, memory_used: null, utilization: 5 })];
    await show(aUsage({ readings, shares: [] }), hardware({ gpus: [aGpu({ memory_total: 0 })] }));
    expect(screen.getAllByRole('meter').map(meter => meter.getAttribute('aria-label'))).toEqual([
      'Computing on NVIDIA H200'
    ]);
    expect(screen.queryByText(/GiB/)).toBeNull();
  });

  it('has its place before it was read', async () => {
    await show(null);
    expect(screen.getByRole('button', { name: 'NVIDIA H200' })).toBeTruthy();
    expect(screen.queryByRole('meter')).toBeNull();
    expect(document.querySelectorAll('.jp-GpuKernels-track')).toHaveLength(2);
  });

  it('says so when it does not answer, or cannot be read', async () => {
    await show(aUsage({ readings: [] }));
    expect(screen.getByText('It does not answer.')).toBeTruthy();
    open();
    expect(screen.queryByText('No process uses its memory.')).toBeNull();
    model.answers.gpuUsage = () => Promise.reject(new Error('NVML is gone.'));
    act(() => live.refresh());
    expect(await screen.findByText('What they are doing could not be read. NVML is gone.')).toBeTruthy();
  });

  it('that is split is shown by its instances, which do not tell how busy they are', async () => {
    const instances = [
      { uuid: 'MIG-1', profile: '3g.40gb', memory_total: 40 * G },
      { uuid: 'MIG-2', profile: '1g.10gb', memory_total: 10 * G }
    ];
    const readings = instances.map(({ uuid, memory_total }) =>
      aReading({ uuid, memory_total, utilization: null, memory_used: 0 })
    );
    await show(aUsage({ readings, shares: [] }), hardware({ gpus: [aGpu({ mig: true, instances })] }));
    expect(screen.getAllByRole('meter').map(meter => meter.getAttribute('aria-label'))).toEqual([
      'Memory of NVIDIA H200 · 3g.40gb',
      'Memory of NVIDIA H200 · 1g.10gb'
    ]);
  });

  it('is told apart from its like', () => {
    const parts = [1, 2].map(place => ({ uuid: `MIG-${place}`, profile: '1g.18gb', memory_total: 18 * G }));
    const split = aGpu({ index: 1, uuid: 'GPU-2', mig: true, instances: parts });
    // The driver's numbers, also where a server may not use all of its GPUs.
    const gpus = [split, aGpu({ index: 2, uuid: 'GPU-3', name: 'NVIDIA T4' }), aGpu({ index: 3, uuid: 'GPU-4' })];
    expect(devicesOf(hardware({ gpus })).map(({ name }) => name)).toEqual([
      '1:0 · NVIDIA H200 · 1g.18gb',
      '1:1 · NVIDIA H200 · 1g.18gb',
      'NVIDIA T4',
      '3 · NVIDIA H200'
    ]);
  });
});

describe('the memory of a GPU', () => {
  const mine = aShare({ kernel_id: 'b', memory: 30 * G });
  const other = aShare({ kernel_id: 'a', memory: 10 * G });
  const process = aShare({ kernel_id: '', title: '', here: false, memory: 5 * G, pid: 77 });
  const reading = aReading({ memory_total: 100 * G, memory_used: 50 * G });

  it('is divided among its holders, and what nobody tells', () => {
    expect(segmentsOf(reading, [mine, other, process]).map(({ memory, hue }) => [memory / G, hue])).toEqual([
      [30, 1],
      [10, 0],
      [5, null],
      [5, null]
    ]);
  });

  it('is not said to be of nobody for what the driver takes', () => {
    expect(segmentsOf({ ...reading, memory_used: 45.5 * G }, [mine, other, process])).toHaveLength(3);
  });

  it('keeps its colours when a kernel takes more than another', () => {
    const hues = (shares: (typeof mine)[]) => Object.fromEntries(shares.map(s => [s.kernel_id, hueOf(s, shares)]));
    expect(hues([mine, other])).toEqual(hues([{ ...other, memory: 60 * G }, mine]));
  });

  it('may be without figures', () => {
    expect(segmentsOf({ ...reading, memory_used: null }, [{ ...mine, memory: null }])).toEqual([]);
  });
});

describe('who has a GPU', () => {
  const NOW = Date.parse('2026-11-20T18:00:00Z');

  it.each([
    [aShare(), 'train.ipynb', 'tf-warp-speed · at work'],
    [aShare({ idle_since: '2026-11-20T17:59:30Z' }), 'train.ipynb', 'tf-warp-speed · idle'],
    [aShare({ idle_since: '2026-11-20T14:55:00Z' }), 'train.ipynb', 'tf-warp-speed · idle for 3 hr 5 min'],
    [aShare({ here: false }), 'train.ipynb', 'tf-warp-speed · kernel of another server'],
    [aShare({ title: '' }), 'tf-warp-speed', 'at work'],
    [aShare({ kernel_id: '', title: '', kernel_name: '', here: false }), 'Another process (4242)', ''],
    [aShare({ kernel_id: '', title: '', kernel_name: '', here: false, pid: null }), 'Another process', ''],
    [null, 'Not told whose', null]
  ])('is named: %#', (share, name, state) => {
    expect(holderName(trans, share)).toBe(name);
    if (share) {
      expect(holderState(trans, share, NOW)).toBe(state);
    }
  });

  it('is seen on demand, with what each has', async () => {
    await show(aUsage({ shares: [aShare({ memory: 20 * G }), aShare({ kernel_id: '', title: '', memory: 8 * G })] }));
    expect(screen.queryByText('train.ipynb')).toBeNull();
    const button = open();
    expect(button.getAttribute('aria-expanded')).toBe('true');
    const [kernel, process] = within(document.querySelector<HTMLElement>('.jp-GpuKernels-holders')!).getAllByRole(
      'listitem'
    );
    expect(kernel.textContent).toBe('train.ipynb20 GiBtf-warp-speed · at work');
    expect(process.textContent).toBe('Another process (4242)8 GiB');
    fireEvent.click(button);
    expect(screen.queryByText('train.ipynb')).toBeNull();
  });

  it('is said to be nobody, or not known', async () => {
    const readings = [aReading({ memory_used: 0 }), aReading({ uuid: 'GPU-2', memory_used: 0, processes: null })];
    await show(
      aUsage({ readings, shares: [] }),
      hardware({ gpus: [aGpu(), aGpu({ uuid: 'GPU-2', name: 'NVIDIA T4' })] })
    );
    open();
    expect(screen.getByText('No process uses its memory.')).toBeTruthy();
    open('NVIDIA T4');
    expect(screen.getByText('Who has its memory cannot be told here.')).toBeTruthy();
  });

  it.each([
    ['notebook', 'docmanager:open'],
    ['console', 'console:open'],
    ['file', 'docmanager:open']
  ])('is opened by its path: a %s', async (type, id) => {
    sessions.models = [{ ...aSession('tf-warp-speed', 'train.ipynb'), type }];
    await show(aUsage());
    open();
    fireEvent.click(screen.getByRole('button', { name: 'train.ipynb' }));
    expect(commands.noted).toEqual([{ id, path: 'train.ipynb' }]);
  });

  it('cannot be opened where it has no session', async () => {
    sessions.models = [];
    await show(aUsage());
    open();
    expect(screen.getByText('train.ipynb').tagName).toBe('SPAN');
  });

  it('is told of a kernel that was given another GPU', async () => {
    const gpus = [aGpu(), aGpu({ uuid: 'GPU-2', name: 'NVIDIA T4' })];
    const readings = [aReading(), aReading({ uuid: 'GPU-2' })];
    const shares = [aShare(), aShare({ gpu: 'GPU-2', leased: false })];
    await show(aUsage({ readings, shares }), hardware({ gpus }));
    open();
    expect(screen.queryByText(/was given another GPU/)).toBeNull();
    open('NVIDIA T4');
    expect(screen.getByText(/was given another GPU/)).toBeTruthy();
  });
});

describe('an idle kernel', () => {
  const IDLE = aUsage({ shares: [aShare({ idle_since: '2026-11-20T10:00:00Z', memory: 20 * G })] });

  async function answer(accept: boolean): Promise<void> {
    fireEvent.click(screen.getByRole('button', { name: 'Shut down the kernel of train.ipynb' }));
    const dialog = await vi.waitFor(() => {
      const found = Dialog.tracker.currentWidget;
      expect(found?.node.textContent).toContain('20 GiB of GPU memory come free');
      return found!;
    });
    await act(async () => {
      if (accept) {
        dialog.resolve(1);
      } else {
        dialog.reject();
      }
      await Promise.resolve();
    });
  }

  it('is shut down after a question, and the GPUs are read again', async () => {
    await show(IDLE);
    const button = open();
    const before = model.calls.length;
    await answer(true);
    await waitFor(() => expect(model.calls.length).toBeGreaterThan(before));
    expect(shutdown.mock.calls).toEqual([['kernel-of-train.ipynb']]);
    expect(document.activeElement).toBe(button);
  });

  it('is left alone if that is the answer', async () => {
    await show(IDLE);
    open();
    const button = screen.getByRole('button', { name: 'Shut down the kernel of train.ipynb' });
    button.focus();
    await answer(false);
    expect(shutdown).not.toHaveBeenCalled();
    await waitFor(() => expect(document.activeElement).toBe(button));
  });

  it.each([
    ['one that is at work', aShare()],
    ['one of another server', aShare({ here: false, idle_since: '2026-11-20T10:00:00Z' })],
    ['a process that is none', aShare({ kernel_id: '', here: false })]
  ])('is offered to be shut down, but not %s', async (_, share) => {
    await show(aUsage({ shares: [share] }));
    open();
    expect(screen.queryByRole('button', { name: /Shut down/ })).toBeNull();
  });

  it('says why it could not be shut down', async () => {
    shutdown.mockRejectedValue(new Error('It is gone already.'));
    await show(IDLE);
    open();
    await answer(true);
    await vi.waitFor(() => expect(Dialog.tracker.currentWidget?.node.textContent).toContain('It is gone already.'));
    Dialog.tracker.currentWidget?.reject();
  });
});

describe('a machine without NVIDIA GPUs', () => {
  const mac = hardware({ driver: null, cuda: null, gpus: [], reason: 'This is a Mac.', vendor: 'apple' });
  const elsewhere = { apple: 'It uses Metal.', amd: '', none: '' };
  const frameworks = [
    aFramework({ id: 'a', title: 'PyTorch', elsewhere }),
    aFramework({ id: 'b', title: 'JAX', elsewhere: { ...elsewhere, apple: '' } })
  ];

  it('says what that means for each framework', async () => {
    await show(null, mac, frameworks);
    expect(screen.getByText('What that means for the frameworks')).toBeTruthy();
    expect(screen.getByText('PyTorch').parentElement?.textContent).toBe('PyTorchIt uses Metal.');
    expect(screen.queryByText('JAX')).toBeNull();
  });

  it('says no more than it must where there is no accelerator at all', async () => {
    await show(null, { ...mac, vendor: 'none' }, frameworks);
    expect(screen.queryByText('What that means for the frameworks')).toBeNull();
    expect(screen.getByText(/Kernels compute on the CPU here/)).toBeTruthy();
  });
});
