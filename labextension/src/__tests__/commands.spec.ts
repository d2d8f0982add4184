/**
 * The commands: what they ask of the model, and what is shown when that fails.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog } from '@jupyterlab/apputils';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../commandIds';
import { addCommands } from '../commands';
import { confirmRemove } from '../components/removeDialog';
import { createKernel } from '../createDialog';
import { askNewName } from '../sharing/renameDialog';
import { ApiError } from '../request';
import { FakeGpuKernels } from './fakes';
import { aJob, anEnvironment, someDefaults } from './samples';

vi.mock('../createDialog', () => ({ createKernel: vi.fn() }));
vi.mock('../components/removeDialog', () => ({ confirmRemove: vi.fn() }));
vi.mock('../sharing/renameDialog', () => ({ askNewName: vi.fn() }));

// Dialogs render when the browser has nothing else to do.
globalThis.requestIdleCallback ??= callback => Number(setTimeout(callback));

const NAME = { name: 'tf-warp-speed' };

/** An application with our commands, and a panel that notes how it is shown. */
function setUp() {
  const model = new FakeGpuKernels();
  model.environments = [anEnvironment(NAME)];
  const commands = new CommandRegistry();
  const shown: unknown[] = [];
  commands.addCommand(CommandIDs.show, { execute: args => void shown.push(args) });
  const panel = {};
  const shell = { currentWidget: null as object | null };
  const tracker = { currentWidget: null as object | null };
  const kernels = {
    refreshRunning: () => Promise.resolve(),
    running: () => [{ name: 'tf-warp-speed' }, { name: 'python3' }, { name: 'tf-warp-speed' }].values()
  };
  addCommands({
    app: { commands, shell, serviceManager: { kernels } } as unknown as JupyterFrontEnd,
    model,
    translator: nullTranslator,
    settings: null,
    browser: null,
    tracker: tracker as never,
    isSingleDocument: false
  });
  const asked = (): string[] => model.calls.filter(({ method }) => method !== 'start').map(({ method }) => method);
  return { model, commands, shown, panel, shell, tracker, asked };
}

/** The text of the dialog that is open, which is then closed. */
async function closedDialog(): Promise<string> {
  const text = await vi.waitFor(() => {
    const found = document.querySelector('.jp-Dialog .jp-GpuKernels-failure')?.parentElement?.parentElement
      ?.textContent;
    expect(found).toBeTruthy();
    // Its title is painted on its own.
    expect(document.querySelector('.jp-Dialog-header')?.textContent).toBeTruthy();
    return found ?? '';
  });
  Dialog.tracker.currentWidget?.resolve();
  return text;
}

beforeEach(() => {
  vi.mocked(createKernel).mockReset();
});

describe('Creating a kernel', () => {
  it('is called a kernel in the Launcher, and promises a dialog elsewhere', () => {
    const { commands } = setUp();
    expect(commands.label(CommandIDs.create, { isLauncher: true })).toBe('New GPU kernel');
    expect(commands.label(CommandIDs.create)).toBe('New GPU Kernel…');
  });

  it('takes what is known from the arguments, but not what the Launcher adds', async () => {
    const { commands, model } = setUp();
    vi.mocked(createKernel).mockResolvedValue(null);
    await commands.execute(CommandIDs.create, { isLauncher: true, cwd: 'work', framework: 'jax', cuda: '12.9' });
    expect(createKernel).toHaveBeenCalledWith({
      model,
      translator: nullTranslator,
      defaults: someDefaults(),
      preset: { framework: 'jax', cuda: '12.9' }
    });
  });

  it('shows the job that has begun, and nothing if the person decided otherwise', async () => {
    const { commands, shown } = setUp();
    vi.mocked(createKernel).mockResolvedValueOnce(null);
    await commands.execute(CommandIDs.create);
    expect(shown).toEqual([]);
    vi.mocked(createKernel).mockResolvedValueOnce(aJob());
    await commands.execute(CommandIDs.create);
    expect(shown).toEqual([{ keepFocus: true }]);
  });
});

describe('The commands of a kernel', () => {
  it.each(Object.values(CommandIDs).filter(id => ![CommandIDs.show as string].includes(id)))(
    '%s says what it is and which arguments it takes',
    async id => {
      const { commands } = setUp();
      expect(commands.label(id, NAME)).toBeTruthy();
      expect(commands.caption(id, NAME)).toBeTruthy();
      expect(await commands.describedBy(id)).toMatchObject({ args: { type: 'object' } });
    }
  );

  it.each([CommandIDs.openNotebook, CommandIDs.benchmark, CommandIDs.verify, CommandIDs.rebuild, CommandIDs.remove])(
    '%s needs a name',
    async id => {
      const { commands, asked } = setUp();
      expect(commands.isEnabled(id)).toBe(false);
      expect(commands.isEnabled(id, NAME)).toBe(true);
      await commands.execute(id);
      expect(asked()).toEqual([]);
    }
  );

  it('can be used in a notebook only while one is looked at', () => {
    const { commands, panel, shell, tracker } = setUp();
    const isEnabled = (): boolean => commands.isEnabled(CommandIDs.useInNotebook, NAME);
    expect(isEnabled()).toBe(false);
    tracker.currentWidget = panel;
    expect(isEnabled()).toBe(false);
    shell.currentWidget = panel;
    expect(isEnabled()).toBe(true);
  });

  it.each([
    [CommandIDs.verify, 'verify'],
    [CommandIDs.rebuild, 'rebuild']
  ])('%s begins a job and shows it', async (id, method) => {
    const { commands, asked, shown } = setUp();
    await commands.execute(id, NAME);
    expect(asked()).toEqual([method]);
    expect(shown).toHaveLength(1);
  });

  it('shows what the server says when it refuses, and what to do next', async () => {
    const { commands, model, shown } = setUp();
    const report = { code: 'environment_busy', message: 'It is being rebuilt.', cure: 'Wait for it.', detail: 'pid 1' };
    model.answers.job = () => Promise.reject(new ApiError(409, report));
    const done = commands.execute(CommandIDs.verify, NAME);
    expect(await closedDialog()).toMatch(
      /The verification could not be started.*It is being rebuilt\..*Wait for it\..*Details.*pid 1/
    );
    await done;
    expect(shown).toEqual([]);
  });

  it('asks for new names, telling how many kernels run, and shows the job if one has begun', async () => {
    const { commands, shown } = setUp();
    vi.mocked(askNewName).mockResolvedValueOnce(null);
    await commands.execute(CommandIDs.rename, NAME);
    expect(shown).toEqual([]);
    vi.mocked(askNewName).mockResolvedValueOnce(aJob({ kind: 'rename' }));
    await commands.execute(CommandIDs.rename, NAME);
    expect(vi.mocked(askNewName).mock.lastCall?.[0]).toMatchObject({ environment: NAME, running: 2 });
    expect(shown).toHaveLength(1);
  });

  it('asks before it removes, telling how many kernels run', async () => {
    const { commands, model } = setUp();
    vi.mocked(confirmRemove).mockResolvedValueOnce({ remove: false, stopKernels: false });
    await commands.execute(CommandIDs.remove, NAME);
    expect(vi.mocked(confirmRemove).mock.lastCall?.[0]).toMatchObject({ environment: NAME, running: 2 });
    vi.mocked(confirmRemove).mockResolvedValueOnce({ remove: true, stopKernels: true });
    await commands.execute(CommandIDs.remove, NAME);
    expect(model.calls.filter(({ method }) => method === 'remove')).toEqual([
      { method: 'remove', args: ['tf-warp-speed', true] }
    ]);
  });

  it('says so when the environment is gone meanwhile', async () => {
    const { commands } = setUp();
    const done = commands.execute(CommandIDs.remove, { name: 'gone' });
    expect(await closedDialog()).toContain('There is no environment called gone.');
    await done;
  });
});

describe('Cancelling', () => {
  it('cancels the job with the identifier', async () => {
    const { commands, model } = setUp();
    expect(commands.isEnabled(CommandIDs.cancel)).toBe(false);
    await commands.execute(CommandIDs.cancel, { id: 'job-1' });
    expect(model.calls).toEqual([{ method: 'cancel', args: ['job-1'] }]);
  });
});
