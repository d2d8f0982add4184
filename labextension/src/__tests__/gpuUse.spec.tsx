/**
 * Which GPUs kernels are given, and how much of their memory.
 */
import { Dialog } from '@jupyterlab/apputils';
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { askGpuUse } from '../components/changeGpusDialog';
import { memoryPhrase, placementPhrase } from '../components/gpuUseWords';
import { flawsOf, gpuUseOf, type IGpuUse, wishesOf } from '../form/gpuUse';
import { GpuUseFields } from '../form/gpuUseFields';
import type { Hardware } from '../tokens';
import { trans } from './panelFixtures';
import { aGpu, anEnvironment, aPlacement, hardware } from './samples';

// Dialogs render when the browser has nothing else to do.
globalThis.requestIdleCallback ??= callback => Number(setTimeout(callback));

const TWO = hardware({ gpus: [aGpu(), aGpu({ index: 1, uuid: 'GPU-2', name: 'NVIDIA T4' })] });
const NONE = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no driver.' });
const USUAL = gpuUseOf('default', 0.5, {});

beforeEach(() => {
  document.documentElement.lang = 'en';
});

describe('what is asked for', () => {
  it('is what is chosen, and nothing of what was not', () => {
    const use: IGpuUse = { ...USUAL, gpuCount: '3', devices: ['GPU-1'], memoryPercent: '30' };
    expect(wishesOf(use)).toEqual({ memory: 'default', placement: aPlacement() });
    expect(wishesOf({ ...use, policy: 'exclusive' }).placement).toEqual(aPlacement({ policy: 'exclusive', count: 3 }));
    expect(wishesOf({ ...use, policy: 'fixed' }, 20).placement).toEqual(
      aPlacement({ policy: 'fixed', devices: ['GPU-1'], wait: 20 })
    );
    expect(wishesOf({ ...use, memory: 'fraction' }).memory_fraction).toBe(0.3);
  });

  it.each([0.1, 0.333, 0.55, 1])('is the part that was asked for before: %d', fraction => {
    expect(wishesOf(gpuUseOf('fraction', fraction, {})).memory_fraction).toBe(fraction);
  });

  it.each([
    [{}, []],
    [{ memory: 'fraction', memoryPercent: '' }, ['percent']],
    [{ memory: 'fraction', memoryPercent: '0' }, ['percent']],
    [{ memory: 'fraction', memoryPercent: '101' }, ['percent']],
    [{ memoryPercent: '101' }, []],
    [{ policy: 'least-used', gpuCount: '1.5' }, ['count']],
    [{ policy: 'exclusive', gpuCount: '0' }, ['count']],
    [{ policy: 'fixed' }, ['devices']],
    [{ policy: 'fixed', devices: ['GPU-1'] }, []]
  ] as [Partial<IGpuUse>, string[]][])('has flaws: %j', (change, flaws) => {
    expect(flawsOf({ ...USUAL, ...change })).toEqual(flaws);
  });
});

describe('the fields', () => {
  const onChange = vi.fn();

  function show(change: Partial<IGpuUse>, machine: Hardware = TWO): void {
    onChange.mockReset();
    render(<GpuUseFields trans={trans} value={{ ...USUAL, ...change }} hardware={machine} onChange={onChange} />);
  }

  it('are two where nothing special is wanted', () => {
    show({});
    expect(screen.getAllByRole('combobox').map(field => (field as HTMLSelectElement).value)).toEqual([
      'auto',
      'default'
    ]);
    expect(screen.queryByRole('spinbutton')).toBeNull();
  });

  it('let GPUs be chosen, in the order of the driver', () => {
    show({ policy: 'fixed', devices: ['GPU-2'] });
    const [first, second] = screen.getAllByRole<HTMLInputElement>('checkbox');
    expect([first.checked, second.checked]).toEqual([false, true]);
    fireEvent.click(first);
    expect(onChange).toHaveBeenLastCalledWith({ devices: ['GPU-1', 'GPU-2'] });
    fireEvent.click(second);
    expect(onChange).toHaveBeenLastCalledWith({ devices: [] });
  });

  it('keep a GPU that is gone, so that it can be taken away', () => {
    show({ policy: 'fixed', devices: ['GPU-9'] });
    fireEvent.click(screen.getByRole('checkbox', { name: 'GPU-9' }));
    expect(onChange).toHaveBeenLastCalledWith({ devices: [] });
  });

  it('offer no GPU where there is none', () => {
    show({}, NONE);
    expect(screen.queryByRole('option', { name: 'Always the same' })).toBeNull();
    expect(screen.getByRole('option', { name: 'The least used' })).toBeTruthy();
  });

  it('say what is wrong with a number', () => {
    show({ policy: 'exclusive', gpuCount: '', memory: 'fraction', memoryPercent: '120' });
    const [count, percent] = screen.getAllByRole('spinbutton');
    expect([count, percent].map(field => field.getAttribute('aria-invalid'))).toEqual(['true', 'true']);
    expect(screen.getByText('A whole number, at least 1.')).toBeTruthy();
    expect(screen.getByText('More than 0, at most 100.')).toBeTruthy();
    fireEvent.change(percent, { target: { value: '40' } });
    expect(onChange).toHaveBeenLastCalledWith({ memoryPercent: '40' });
  });

  it.each(['0', '0.05', '0.1', '100', '100.1'])('find the same percentages wrong as the browser: %s', memoryPercent => {
    show({ memory: 'fraction', memoryPercent });
    const percent = screen.getByRole<HTMLInputElement>('spinbutton');
    expect(percent.getAttribute('aria-invalid')).toBe(percent.validity.valid ? null : 'true');
  });

  it('say when more GPUs are wanted than there are', () => {
    show({ policy: 'least-used', gpuCount: '3' });
    const count = screen.getByRole('spinbutton');
    expect(count.getAttribute('aria-invalid')).toBeNull();
    expect(count.getAttribute('aria-describedby')).toContain(screen.getByText('A kernel can have 2 GPUs here.').id);
    cleanup();
    show({ policy: 'least-used', gpuCount: '2' });
    expect(screen.queryByText(/A kernel can have/)).toBeNull();
    cleanup();
    // It is built for another machine then.
    show({ policy: 'least-used', gpuCount: '3' }, NONE);
    expect(screen.queryByText(/A kernel can have/)).toBeNull();
  });
});

describe('the question', () => {
  async function ask(): Promise<{ dialog: Dialog<unknown>; answer: ReturnType<typeof askGpuUse> }> {
    const answer = askGpuUse({ environment: anEnvironment(), hardware: TWO, trans });
    const dialog = await vi.waitFor(() => {
      const found = Dialog.tracker.currentWidget;
      expect(found?.node.querySelector('select')).toBeTruthy();
      return found!;
    });
    return { dialog, answer };
  }

  it('answers what is to be changed', async () => {
    const { dialog, answer } = await ask();
    const [policy] = dialog.node.querySelectorAll('select');
    act(() => {
      fireEvent.change(policy, { target: { value: 'exclusive' } });
    });
    dialog.resolve(1);
    expect(await answer).toEqual({ memory: 'default', placement: aPlacement({ policy: 'exclusive' }) });
  });

  it('lets nothing be asked for that is not complete', async () => {
    const { dialog, answer } = await ask();
    const [policy] = dialog.node.querySelectorAll('select');
    act(() => {
      fireEvent.change(policy, { target: { value: 'fixed' } });
    });
    const accept = dialog.node.querySelector<HTMLButtonElement>('.jp-mod-accept')!;
    await vi.waitFor(() => expect(accept.disabled).toBe(true));
    act(() => {
      fireEvent.click(dialog.node.querySelector<HTMLInputElement>('input[type=checkbox]')!);
    });
    await vi.waitFor(() => expect(accept.disabled).toBe(false));
    dialog.reject();
    expect(await answer).toBeNull();
  });
});

describe('a kernel', () => {
  it.each([
    ['Automatic', 'As the framework does', {}],
    [
      'The least used (2)',
      'Only what is needed',
      { placement: aPlacement({ policy: 'least-used', count: 2 }), memory: 'grow' }
    ],
    [
      'Always the same (2)',
      'Up to 40%',
      { placement: aPlacement({ policy: 'fixed', devices: ['a', 'b'] }), memory: 'fraction', memory_fraction: 0.4 }
    ]
  ] as const)('says what it is given: %s', (placement, memory, overrides) => {
    const environment = anEnvironment({ ...overrides });
    expect([placementPhrase(trans, environment), memoryPhrase(trans, environment)]).toEqual([placement, memory]);
  });
});
