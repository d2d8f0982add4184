/**
 * The dialog with its form, by keyboard and by what is read out.
 */
import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { createKernel } from '../createDialog';
import { ApiError } from '../request';
import type { Job, Plan, Spec } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { aFramework, aPlan, aRecipe, hardware, someDefaults } from './samples';

const DEFAULTS = someDefaults();

const FRAMEWORKS = [
  aFramework(),
  aFramework({ id: 'cupy', title: 'CuPy', recipes: [aRecipe({ variant: 'gpu' })] }),
  aFramework({ id: 'caffe', title: 'Caffe', legacy: 'Caffe has seen no release since 2017.' })
];

let model: FakeGpuKernels;

beforeEach(() => {
  model = new FakeGpuKernels();
  model.answers.frameworks = () => Promise.resolve(FRAMEWORKS);
  globalThis.requestIdleCallback ??= callback => setTimeout(callback, 0);
  // jsdom lays nothing out, so that everything would seem hidden.
  Element.prototype.scrollIntoView ??= () => undefined;
  Element.prototype.getClientRects = () => [new DOMRect()] as unknown as DOMRectList;
  globalThis.DOMRect ??= class {} as unknown as typeof DOMRect;
});

afterEach(() => Dialog.flush());

async function opened(preset?: Partial<Spec>): Promise<{ result: Promise<Job | null>; dialog: HTMLElement }> {
  const result = createKernel({ model, translator: nullTranslator, defaults: DEFAULTS, preset });
  // Closed by force after a test that failed.
  result.catch(() => undefined);
  const dialog = await screen.findByLabelText('New GPU kernel', { selector: '.jp-Dialog' });
  // The style sheet of JupyterLab shows it, which is not there.
  dialog.setAttribute('open', '');
  await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>('Name').value).not.toBe(''));
  return { result, dialog };
}

function press(key: string, target: Element, init: KeyboardEventInit = {}): boolean {
  return fireEvent.keyDown(target, { key, ...init });
}

/** What Enter in a text field does in browsers, and jsdom leaves out. */
async function submit(): Promise<void> {
  const button = screen.getByRole<HTMLButtonElement>('button', { name: /Preview|Create/ });
  await act(() => Promise.resolve(button.form?.requestSubmit(button)));
}

async function previewed(): Promise<HTMLElement> {
  await submit();
  return await screen.findByRole('heading', { level: 3 });
}

async function closed(dialog: HTMLElement, result: Promise<Job | null>): Promise<void> {
  press('Escape', dialog);
  expect(await result).toBeNull();
}

describe('the dialog', () => {
  it('begins at the framework, and says what auto will take', async () => {
    const { dialog, result } = await opened();
    await waitFor(() => expect(document.activeElement).toBe(screen.getByRole('radio', { name: 'TensorFlow' })));
    const auto = screen.getByRole('radio', { name: 'Automatic' });
    expect(auto.getAttribute('aria-describedby')).toBeTruthy();
    screen.getByText('GPU: This machine’s driver 580.159.04 allows CUDA up to 13.0 (NVIDIA H200).');
    await closed(dialog, result);
    expect(document.querySelector('.jp-Dialog')).toBeNull();
  });

  it('previews, then creates', async () => {
    const { result } = await opened();
    const heading = await previewed();
    expect(heading.textContent).toBe('To be built: TensorFlow 2.19.0 · CUDA 12.9');
    expect(document.activeElement).toBe(heading);
    await submit();
    expect((await result)?.name).toBe('tensorflow-1');
  });

  it('adds the extras of its framework, and those of no other', async () => {
    const extra = { packages: [], pip: ['fiftyone'], wheels: [], python: '', import_name: '', verification: '' };
    const extras = [{ ...extra, id: 'fiftyone', title: 'FiftyOne', description: 'To look at images.' }];
    model.answers.frameworks = () => Promise.resolve([aFramework({ extras }), ...FRAMEWORKS.slice(1)]);
    const { dialog, result } = await opened();
    const asked = () => (model.calls.filter(({ method }) => method === 'plan').at(-1)?.args[0] as Spec).extras;
    const box = screen.getByRole('checkbox', { name: 'FiftyOne' });
    expect(document.getElementById(box.getAttribute('aria-describedby')!)?.textContent).toBe('To look at images.');
    fireEvent.click(box);
    await previewed();
    expect(asked()).toEqual(['fiftyone']);
    fireEvent.click(screen.getByRole('radio', { name: 'CuPy' }));
    expect(screen.queryByRole('checkbox', { name: 'FiftyOne' })).toBeNull();
    await submit();
    expect(asked()).toBeUndefined();
    await closed(dialog, result);
  });

  it('asks for a preview again after a change', async () => {
    const { dialog, result } = await opened();
    await previewed();
    screen.getByRole('button', { name: 'Create' });
    fireEvent.change(screen.getByLabelText('Version'), { target: { value: '2.18' } });
    screen.getByRole('button', { name: 'Preview' });
    screen.getByText('Something was changed since: preview it again.');
    await closed(dialog, result);
  });

  it('shows what is wrong with the name at its field', async () => {
    model.answers.checkName = name =>
      Promise.resolve({
        name,
        problem: { code: 'name_taken', message: 'It exists.', cure: 'Choose another.', detail: '' }
      });
    const { dialog, result } = await opened();
    const field = screen.getByLabelText('Name');
    fireEvent.change(field, { target: { value: 'theirs' } });
    const problem = (await screen.findByText('It exists.')).closest('p');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    expect(field.getAttribute('aria-describedby')?.split(' ')).toContain(problem?.id);
    expect(problem?.textContent).toBe('It exists. Choose another.');
    fireEvent.change(field, { target: { value: '' } });
    await submit();
    screen.getByText('A kernel needs a name.');
    expect(document.activeElement).toBe(field);
    await closed(dialog, result);
  });

  it('leads to what is wrong with a number, without asking the server', async () => {
    const { dialog, result } = await opened({ memory: 'fraction' });
    const percent = screen.getByLabelText('Percent of the memory');
    fireEvent.change(percent, { target: { value: '0' } });
    await submit();
    expect(document.activeElement).toBe(percent);
    expect(model.calls.map(({ method }) => method)).not.toContain('plan');
    expect(screen.queryByText('That did not work')).toBeNull();
    await closed(dialog, result);
  });

  it('shows a failure with its cure, and keeps what was typed', async () => {
    const report = { code: 'channel', message: 'The proxy says no.', cure: 'Ask for it.', detail: '403 Forbidden' };
    model.answers.plan = () => Promise.reject(new ApiError(502, report));
    const { dialog, result } = await opened();
    fireEvent.change(screen.getByLabelText('Extra pip packages'), { target: { value: 'einops' } });
    const heading = await previewed();
    expect(document.activeElement).toBe(heading);
    screen.getByText('The proxy says no.');
    screen.getByText('403 Forbidden');
    expect(screen.getByLabelText<HTMLTextAreaElement>('Extra pip packages').value).toBe('einops');
    await closed(dialog, result);
  });

  it('offers the cures of a missing driver', async () => {
    model.hardware = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no NVIDIA driver.' });
    const refusal = { reason: 'It needs a driver.', cure: 'Take the cpu variant.', detail: '' };
    model.answers.plan = spec =>
      Promise.resolve(
        spec.variant === 'gpu'
          ? aPlan({ refusal, target_cuda: null, packages: [] })
          : aPlan({ variant: 'cpu', cuda: null })
      );
    const { dialog, result } = await opened();
    fireEvent.click(screen.getByRole('radio', { name: 'GPU' }));
    expect((await previewed()).textContent).toBe('This cannot be built');
    fireEvent.click(screen.getByRole('button', { name: 'Build for another machine…' }));
    await waitFor(() =>
      expect(document.activeElement).toBe(screen.getByLabelText('Build for another machine’s driver'))
    );
    await act(() => Promise.resolve(fireEvent.click(screen.getByRole('button', { name: 'Take the CPU variant' }))));
    await screen.findByRole('heading', { name: 'To be built: TensorFlow 2.19.0 · CPU' });
    await closed(dialog, result);
  });

  it('says that it is solving, and stops when told', async () => {
    let asked: AbortSignal | undefined;
    model.answers.plan = (_, signal) => {
      asked = signal;
      return new Promise<Plan>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    };
    const { dialog, result } = await opened();
    await submit();
    const status = within(dialog).getByText('Finding packages that fit together…');
    expect(status.getAttribute('role')).toBe('status');
    const primary = screen.getByRole('button', { name: 'Preview' });
    expect(primary.getAttribute('aria-disabled')).toBe('true');
    await act(() => Promise.resolve(fireEvent.click(screen.getByRole('button', { name: 'Stop' }))));
    expect([asked?.aborted, status.textContent]).toEqual([true, '']);
    expect(document.activeElement).toBe(primary);
    await closed(dialog, result);
  });

  it('disables the variants that a framework lacks, and says why', async () => {
    const { dialog, result } = await opened();
    fireEvent.click(screen.getByRole('radio', { name: 'CuPy' }));
    const cpu = screen.getByRole<HTMLInputElement>('radio', { name: 'CPU' });
    expect(cpu.disabled).toBe(true);
    const why = document.getElementById(cpu.getAttribute('aria-describedby') ?? '');
    expect(why?.textContent).toBe('CuPy has no build for the CPU alone.');
    fireEvent.click(screen.getByRole('radio', { name: /Caffe/ }));
    screen.getByText('Caffe has seen no release since 2017.');
    await closed(dialog, result);
  });

  it('shows the packages to those who ask', async () => {
    const { dialog, result } = await opened();
    await previewed();
    expect(screen.queryByRole('table')).toBeNull();
    const details = screen.getByText('2 packages').closest('details') as HTMLDetailsElement;
    details.open = true;
    fireEvent(details, new Event('toggle'));
    const rows = within(screen.getByRole('table')).getAllByRole('row');
    expect(rows.map(row => [...row.children].map(cell => cell.textContent))).toEqual([
      ['Name', 'Version', 'Build', 'Source', 'Size'],
      ['python', '3.12.11', 'h1', 'conda-forge', '30 MB'],
      ['tensorflow', '2.19.0', 'cuda129', 'conda-forge', '500 MB']
    ]);
    await closed(dialog, result);
  });
});

describe('the keyboard', () => {
  it('is left to the form for Enter and arrows', async () => {
    const { dialog, result } = await opened();
    for (const target of [screen.getByLabelText('Name'), screen.getByRole('button', { name: 'Preview' })]) {
      target.focus();
      expect(['Enter', 'ArrowLeft', 'ArrowRight', ' '].map(key => press(key, target))).toEqual(Array(4).fill(true));
    }
    expect(model.calls.map(({ method }) => method)).not.toContain('plan');
    await closed(dialog, result);
  });

  it('cancels with Escape, but not while a word is being composed', async () => {
    const { dialog, result } = await opened();
    press('Escape', screen.getByLabelText('Name'), { isComposing: true });
    expect(dialog.isConnected).toBe(true);
    await closed(dialog, result);
  });

  it('stays inside with Tab', async () => {
    const { dialog, result } = await opened();
    const last = screen.getByRole('button', { name: 'Preview' });
    last.focus();
    expect(press('Tab', last)).toBe(false);
    const first = document.activeElement as HTMLElement;
    expect(first.className).toContain('jp-Dialog-close-button');
    expect(press('Tab', first, { shiftKey: true })).toBe(false);
    expect(document.activeElement).toBe(last);
    await closed(dialog, result);
  });

  it('comes back from outside', async () => {
    const outside = document.body.appendChild(document.createElement('button'));
    const { dialog, result } = await opened();
    const field = screen.getByLabelText('Name');
    field.focus();
    outside.focus();
    expect(document.activeElement).toBe(field);
    await closed(dialog, result);
    outside.remove();
  });

  it('is not needed to lose everything: a click outside does nothing', async () => {
    const { dialog, result } = await opened();
    fireEvent.mouseDown(dialog);
    fireEvent.click(dialog);
    expect(dialog.isConnected).toBe(true);
    await closed(dialog, result);
  });
});
