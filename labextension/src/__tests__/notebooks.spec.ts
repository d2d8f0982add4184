/**
 * Notebooks: where they are made, under which name, and that the bundled one is run and its result kept.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { type INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { BenchmarkWatcher } from '../benchmarks';
import { changeKernel, currentFolder, freePath, openBenchmark, openNotebook } from '../notebooks';
import { PendingRuns } from '../pendingRuns';
import { FakeGpuKernels } from './fakes';
import { anEnvironment } from './samples';

// The real package needs more of a browser than jsdom is; the tests in Chromium have it.
vi.mock('@jupyterlab/notebook', async () => {
  const { Signal } = await import('@lumino/signaling');
  return { NotebookActions: { executed: new Signal({}), runAll: () => Promise.resolve(true) } };
});

const BASE = 'http://localhost/';

/** A contents manager with the files of one folder. */
function contentsOf(...names: string[]) {
  const saved: [string, unknown][] = [];
  const contents = {
    get: () => Promise.resolve({ content: names.map(name => ({ name })) }),
    save: (path: string, model: unknown) => {
      saved.push([path, model]);
      return Promise.resolve();
    }
  } as unknown as Contents.IManager;
  return { contents, saved };
}

/** An application whose commands are noted. */
function setUp(...files: string[]) {
  const { contents, saved } = contentsOf(...files);
  const executed: unknown[] = [];
  const commands = new CommandRegistry();
  for (const id of ['notebook:create-new', 'docmanager:open']) {
    commands.addCommand(id, { execute: args => void executed.push([id, args]) });
  }
  const specs = { kernelspecs: { 'tf-warp-speed': {} } as Record<string, object> };
  const refreshSpecs = vi.fn(() => Promise.resolve());
  const kernelspecs = { ready: Promise.resolve(), specs, refreshSpecs };
  const model = new FakeGpuKernels();
  model.environments = [anEnvironment({ name: 'TF-warp-speed', kernel_name: 'tf-warp-speed' })];
  const changed: unknown[] = [];
  const notebook = {
    context: { path: 'deep/er/Untitled.ipynb' },
    sessionContext: { changeKernel: (kernel: unknown) => Promise.resolve(changed.push(kernel)) }
  };
  const options = {
    app: {
      commands,
      serviceManager: { contents, kernelspecs, serverSettings: { baseUrl: BASE } }
    } as unknown as JupyterFrontEnd,
    model,
    browser: { model: { path: 'work' } } as never,
    tracker: { currentWidget: notebook } as unknown as INotebookTracker,
    isSingleDocument: false
  };
  return { options, model, executed, saved, changed, specs, refreshSpecs };
}

beforeEach(() => localStorage.clear());

describe('The current folder', () => {
  it('is that of the file browser in JupyterLab', () => {
    expect(currentFolder(setUp().options)).toBe('work');
  });

  it('is that of the notebook where a page shows one', () => {
    expect(currentFolder({ ...setUp().options, isSingleDocument: true })).toBe('deep/er');
  });

  it('is the root where there is neither', () => {
    expect(currentFolder({ browser: null, tracker: null, isSingleDocument: true })).toBe('');
  });
});

describe('A free path', () => {
  it.each([
    ['', [], 'a.ipynb'],
    ['work', ['b.ipynb'], 'work/a.ipynb'],
    ['work', ['A.ipynb', 'a-1.ipynb', 'a-3.ipynb'], 'work/a-2.ipynb'],
    ['drive:', ['a.ipynb'], 'drive:a-1.ipynb']
  ])('in the folder %j with %j is %s', async (folder, files, path) => {
    expect(await freePath(contentsOf(...files).contents, folder, 'a')).toBe(path);
  });
});

describe('A notebook', () => {
  it('is opened in the current folder with the kernel', async () => {
    const { options, executed, refreshSpecs } = setUp();
    await openNotebook(options, 'TF-warp-speed');
    expect(executed).toEqual([['notebook:create-new', { cwd: 'work', kernelName: 'tf-warp-speed' }]]);
    expect(refreshSpecs).not.toHaveBeenCalled();
  });

  it('waits until JupyterLab knows the kernel', async () => {
    const { options, specs, refreshSpecs } = setUp();
    specs.kernelspecs = {};
    await openNotebook(options, 'TF-warp-speed');
    expect(refreshSpecs).toHaveBeenCalledOnce();
  });

  it('takes another kernel as with Change Kernel', async () => {
    const { options, changed } = setUp();
    await changeKernel(options, 'TF-warp-speed');
    expect(changed).toEqual([{ name: 'tf-warp-speed' }]);
  });
});

describe('The bundled notebook', () => {
  it('is saved under a free name, to be run once where it opens', async () => {
    const { options, executed, saved } = setUp('cpu-vs-gpu.ipynb');
    await openBenchmark(options, 'TF-warp-speed');
    const path = 'work/cpu-vs-gpu-1.ipynb';
    expect(saved).toEqual([[path, { type: 'notebook', format: 'json', content: expect.anything() as unknown }]]);
    expect(executed).toEqual([['docmanager:open', { path, factory: 'Notebook', kernel: { name: 'tf-warp-speed' } }]]);
    const runs = new PendingRuns(localStorage, BASE);
    expect([runs.take(path), runs.take(path)]).toEqual([true, false]);
  });
});

describe('A wish to run a notebook', () => {
  it('is of one server only, and is forgotten after a minute', () => {
    vi.useFakeTimers();
    const runs = new PendingRuns(localStorage, BASE);
    runs.add('a.ipynb');
    expect(new PendingRuns(localStorage, `${BASE}user/b/`).take('a.ipynb')).toBe(false);
    vi.advanceTimersByTime(61_000);
    expect(runs.take('a.ipynb')).toBe(false);
    expect(localStorage).toHaveLength(0);
    vi.useRealTimers();
  });
});

/** A page with a watcher of its notebooks. */
function watching() {
  const model = new FakeGpuKernels();
  model.environments = [anEnvironment()];
  const panels: object[] = [];
  const widgetAdded = new Signal<object, object>({});
  const tracker = {
    widgetAdded,
    forEach: (visit: (panel: object) => void) => panels.forEach(visit),
    find: (test: (panel: object) => boolean) => panels.find(test)
  } as unknown as INotebookTracker;
  const pendingRuns = new PendingRuns(localStorage, BASE);
  const watcher = new BenchmarkWatcher({ model, tracker, pendingRuns, translator: nullTranslator });
  const open = (path: string, overrides: object = {}) => {
    const panel = {
      isAttached: true,
      isDisposed: false,
      content: {},
      context: { path, ready: Promise.resolve() },
      revealed: Promise.resolve(),
      sessionContext: { ready: Promise.resolve(), hasNoKernel: false, session: { kernel: { name: 'tf-warp-speed' } } },
      ...overrides
    };
    panels.push(panel);
    widgetAdded.emit(panel);
    return panel;
  };
  /** Execute a cell with an output. */
  const execute = (notebook: object, data: object): void => {
    const outputs = { length: 1, get: () => ({ data }) };
    (NotebookActions.executed as Signal<unknown, unknown>).emit({ notebook, cell: { model: { outputs } } });
  };
  const kept = (): unknown[] => model.calls.filter(({ method }) => method === 'keepBenchmark').map(({ args }) => args);
  return { model, watcher, pendingRuns, open, execute, kept };
}

const RESULT = { 'application/vnd.jupyter-gpu-kernels.benchmark+json': { framework: 'TensorFlow' } };

describe('The watcher', () => {
  it('runs a notebook that was opened for that, and no other', async () => {
    const runAll = vi.spyOn(NotebookActions, 'runAll').mockResolvedValue(true);
    const { pendingRuns, open } = watching();
    pendingRuns.add('wished.ipynb');
    pendingRuns.add('without-kernel.ipynb');
    open('other.ipynb');
    open('without-kernel.ipynb', { sessionContext: { ready: Promise.resolve(), hasNoKernel: true } });
    const wished = open('wished.ipynb');
    await vi.waitFor(() => expect(runAll).toHaveBeenCalled());
    expect(runAll.mock.calls.map(([notebook]) => notebook)).toEqual([wished.content]);
  });

  it('leaves it to the tab that shows it', async () => {
    const runAll = vi.spyOn(NotebookActions, 'runAll').mockResolvedValue(true);
    const { pendingRuns, open } = watching();
    pendingRuns.add('wished.ipynb');
    open('wished.ipynb', { isAttached: false });
    await new Promise(resolve => setTimeout(resolve));
    expect(runAll).not.toHaveBeenCalled();
    expect(pendingRuns.take('wished.ipynb')).toBe(true);
  });

  it('keeps what the bundled notebook shows, for the environment of its kernel', async () => {
    const { open, execute, kept } = watching();
    const { content } = open('renamed.ipynb');
    execute(content, { 'text/plain': 'something else' });
    execute(content, RESULT);
    await vi.waitFor(() => expect(kept()).toEqual([['tf-warp-speed', { framework: 'TensorFlow' }]]));
  });

  it('keeps nothing of a kernel that is none of ours', async () => {
    const { open, execute, kept } = watching();
    const { content } = open('a.ipynb', { sessionContext: { session: { kernel: { name: 'python3' } } } });
    execute(content, RESULT);
    await new Promise(resolve => setTimeout(resolve));
    expect(kept()).toEqual([]);
  });

  it('tells when a result cannot be kept', async () => {
    const warning = vi.spyOn(Notification, 'warning').mockReturnValue('id');
    const { model, open, execute } = watching();
    model.answers.done = () => Promise.reject(new Error('The disk is full.'));
    execute(open('a.ipynb').content, RESULT);
    await vi.waitFor(() => expect(warning).toHaveBeenCalled());
    expect(warning.mock.lastCall?.[0]).toBe('The result of the benchmark was not kept: The disk is full.');
  });

  it('does nothing after its end', () => {
    const { watcher, open, execute, kept } = watching();
    const { content } = open('a.ipynb');
    watcher.dispose();
    execute(content, RESULT);
    expect([watcher.isDisposed, kept()]).toEqual([true, []]);
  });
});
