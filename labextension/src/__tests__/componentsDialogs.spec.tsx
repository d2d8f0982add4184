import { fireEvent, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';

import { confirmRemove, type IRemoveAnswer } from '../components/removeDialog';
import { askDisplayName } from '../components/renameDialog';
import type { DiskUsage } from '../tokens';
import { trans } from './panelFixtures';
import { anEnvironment } from './samples';

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

describe('the question for a name', () => {
  function ask(): Promise<string | null> {
    return askDisplayName({ environment: anEnvironment({ display_name: 'Old name' }), trans });
  }

  async function answer(text: string): Promise<string | null> {
    const answer = ask();
    fireEvent.change(await screen.findByLabelText('Name shown in the Launcher and in notebooks'), {
      target: { value: text }
    });
    fireEvent.click(await button('Rename'));
    return answer;
  }

  it('answers with what was written, without the space around it', async () => {
    expect(await answer('  New name ')).toBe('New name');
  });

  it('answers nothing where nothing is to change', async () => {
    expect(await answer('Old name')).toBeNull();
    const cancelled = ask();
    fireEvent.click(await button('Cancel'));
    expect(await cancelled).toBeNull();
  });
});
