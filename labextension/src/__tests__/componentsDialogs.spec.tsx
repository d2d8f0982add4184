import { fireEvent, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';

import { confirmRemove, type IRemoveAnswer } from '../components/removeDialog';
import { ApiError } from '../request';
import { askForClone } from '../sharing/cloneDialog';
import { askNewName } from '../sharing/renameDialog';
import type { DiskUsage, Job } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { trans } from './panelFixtures';
import { aJob, anEnvironment } from './samples';

beforeEach(() => {
  document.documentElement.lang = 'en';
  // jsdom has no idle time.
  globalThis.requestIdleCallback ??= ((callback: () => void) => setTimeout(callback)) as typeof requestIdleCallback;
});

/** To jsdom a `dialog` element without `open` is hidden; JupyterLab shows it by its style. */
const HIDDEN = { hidden: true };

function button(name: string): Promise<HTMLButtonElement> {
  return screen.findByRole<HTMLButtonElement>('button', { name, ...HIDDEN });
}

describe('the question before a removal', () => {
  const measured: Promise<DiskUsage> = Promise.resolve({ bytes: 3e9, freed_bytes: 2e9 });

  function ask(
    running: number,
    usage: Promise<DiskUsage> = measured,
    environment = anEnvironment()
  ): Promise<IRemoveAnswer> {
    return confirmRemove({ environment, usage, running, trans });
  }

  it('says what it frees, what stays, and that notebooks are not touched', async () => {
    const answer = ask(0);
    await screen.findByText(
      'That frees 2.0 GB. Another 1.0 GB are shared with the package cache or other environments, and stay.'
    );
    screen.getByText(/Notebooks are not touched/);
    expect(screen.queryByRole('checkbox', HIDDEN)).toBeNull();
    fireEvent.click(await button('Remove'));
    expect(await answer).toEqual({ remove: true, stopKernels: false });
  });

  it('says what is taken where that could not be measured', async () => {
    const answer = ask(0, Promise.reject(new Error('away')));
    await screen.findByText('It takes 3.0 GB; how much of that its removal frees could not be measured.');
    fireEvent.click(await button('Cancel'));
    expect(await answer).toEqual({ remove: false, stopKernels: false });
  });

  it('says that all is freed where nothing is shared', async () => {
    const answer = ask(0, Promise.resolve({ bytes: 2e9, freed_bytes: 2e9 }));
    await screen.findByText('That frees 2.0 GB.');
    fireEvent.keyDown(document.activeElement!, { key: 'Escape', keyCode: 27 });
    expect((await answer).remove).toBe(false);
  });

  it('waits for the shutdown of what runs to be asked for', async () => {
    const answer = ask(2);
    await screen.findByText(/^2 kernels run from it/);
    const remove = await button('Remove');
    await waitFor(() => expect(remove.disabled).toBe(true));
    fireEvent.click(screen.getByRole('checkbox', { name: 'Shut down 2 running kernels', ...HIDDEN }));
    await waitFor(() => expect(remove.disabled).toBe(false));
    fireEvent.click(remove);
    expect(await answer).toEqual({ remove: true, stopKernels: true });
  });

  it('has Cancel ready, not Remove', async () => {
    const answer = ask(0);
    const cancel = await button('Cancel');
    await waitFor(() => expect(document.activeElement).toBe(cancel));
    fireEvent.click(cancel);
    await answer;
  });
});

describe('the question for names', () => {
  function ask(model = new FakeGpuKernels(), running = 0): Promise<Job | null> {
    return askNewName({ environment: anEnvironment({ display_name: 'Old name' }), model, running, trans });
  }

  async function write(label: string, text: string): Promise<void> {
    fireEvent.change(await screen.findByLabelText(label), { target: { value: text } });
  }

  const SHOWN = 'Name shown in the Launcher and in notebooks';

  it('shows another name at once, without the space around it', async () => {
    const model = new FakeGpuKernels();
    const answer = ask(model);
    await write(SHOWN, '  New name ');
    fireEvent.click(await button('Rename'));
    expect(await answer).toBeNull();
    expect(model.calls).toEqual([{ method: 'change', args: ['tf-warp-speed', { display_name: 'New name' }] }]);
  });

  it('does nothing where nothing is to change', async () => {
    const model = new FakeGpuKernels();
    const answer = ask(model);
    fireEvent.click(await button('Rename'));
    expect(await answer).toBeNull();
    expect(model.calls).toEqual([]);
  });

  it('gives another name by a job, but not to what runs', async () => {
    const model = new FakeGpuKernels();
    model.answers.ask = () => Promise.resolve(aJob({ kind: 'rename', name: 'warp' }));
    const answer = ask(model, 1);
    await write('Name', 'warp');
    const rename = await button('Rename');
    expect(rename.getAttribute('aria-disabled')).toBe('true');
    fireEvent.click(screen.getByRole('checkbox', HIDDEN));
    fireEvent.click(rename);
    expect(await answer).toMatchObject({ kind: 'rename', name: 'warp' });
    expect(model.calls.at(-1)).toEqual({
      method: 'POST environments/tf-warp-speed/rename',
      args: [{ name: 'warp' }]
    });
  });
});

describe('the question for a copy', () => {
  it('says what is wrong with its name, and keeps what was written', async () => {
    const model = new FakeGpuKernels();
    const refusal = { code: 'name_taken', message: 'It is taken.', cure: 'Take another.', detail: '' };
    model.answers.ask = () => Promise.reject(new ApiError(409, refusal));
    const answer = askForClone({ environment: anEnvironment(), model, trans });
    const name = await screen.findByLabelText<HTMLInputElement>('Name of the copy');
    expect(name.value).toBe('tf-warp-speed-copy');
    fireEvent.change(name, { target: { value: 'mine' } });
    fireEvent.click(await button('Clone'));
    await screen.findByText('It is taken.');
    expect(name.value).toBe('mine');
    model.answers.ask = () => Promise.resolve(aJob({ kind: 'clone', name: 'mine' }));
    fireEvent.click(await button('Clone'));
    expect(await answer).toMatchObject({ name: 'mine' });
    expect(model.calls.at(-1)).toEqual({
      method: 'POST environments/tf-warp-speed/clone',
      args: [{ name: 'mine', display_name: null }]
    });
  });
});
