/**
 * Notebooks with our kernels: a new one, the active one, and the bundled one that compares CPU and GPU.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { FileBrowser } from '@jupyterlab/filebrowser';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import { PendingRuns } from './pendingRuns';
import type { IGpuKernels } from './tokens';

/**
 * Where notebooks are.
 */
export interface INotebookPlaces {
  /** The file browser, where the application has one. */
  browser: FileBrowser | null;
  /** The open notebooks, where the application has some. */
  tracker: INotebookTracker | null;
  /** Whether a page shows one document only, as in Notebook 7. */
  isSingleDocument: boolean;
}

/**
 * What is needed to open notebooks.
 */
export interface INotebooksOptions extends INotebookPlaces {
  app: JupyterFrontEnd;
  model: IGpuKernels;
}

/**
 * Open a new notebook with the kernel of an environment, in the current folder.
 *
 * In Notebook 7 it opens in a browser tab.
 *
 * @param name - Name of the environment.
 */
export async function openNotebook(options: INotebooksOptions, name: string): Promise<void> {
  const kernelName = await Private.knownKernel(options, name);
  await options.app.commands.execute('notebook:create-new', { cwd: currentFolder(options), kernelName });
}

/**
 * Change the kernel of the active notebook, as *Kernel ▸ Change Kernel…* does.
 *
 * @param name - Name of the environment.
 */
export async function changeKernel(options: INotebooksOptions, name: string): Promise<void> {
  const kernelName = await Private.knownKernel(options, name);
  await options.tracker?.currentWidget?.sessionContext.changeKernel({ name: kernelName });
}

/**
 * Open a copy of the bundled notebook with the kernel of an environment, in the current folder, to be run there.
 *
 * Whichever page opens it runs it and keeps its result: see `benchmarks.ts`.
 *
 * @param name - Name of the environment.
 */
export async function openBenchmark(options: INotebooksOptions, name: string): Promise<void> {
  const { commands, serviceManager } = options.app;
  const { contents, serverSettings } = serviceManager;
  const [kernelName, content] = await Promise.all([
    Private.knownKernel(options, name),
    options.model.benchmarkNotebook(name)
  ]);
  const path = await freePath(contents, currentFolder(options), 'cpu-vs-gpu');
  await contents.save(path, { type: 'notebook', format: 'json', content });
  new PendingRuns(localStorage, serverSettings.baseUrl).add(path);
  await commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name: kernelName } });
}

/**
 * The folder in which a person who looks at the page would expect a new notebook.
 */
export function currentFolder({ browser, tracker, isSingleDocument }: INotebookPlaces): string {
  const notebook = isSingleDocument ? tracker?.currentWidget : null;
  return notebook ? PathExt.dirname(notebook.context.path) : (browser?.model.path ?? '');
}

/**
 * A path in a folder that no file has: `stem.ipynb`, else `stem-1.ipynb`, `stem-2.ipynb`, ….
 *
 * @param extension - That of a file, with its dot.
 */
export async function freePath(
  contents: Contents.IManager,
  folder: string,
  stem: string,
  extension = '.ipynb'
): Promise<string> {
  const listing = await contents.get(folder, { content: true });
  // On some systems names that differ in case only are one.
  const taken = new Set((listing.content as Contents.IModel[]).map(item => item.name.toLowerCase()));
  let file = `${stem}${extension}`;
  for (let count = 1; taken.has(file.toLowerCase()); count++) {
    file = `${stem}-${count}${extension}`;
  }
  return folder && !folder.endsWith(':') ? `${folder}/${file}` : `${folder}${file}`;
}

namespace Private {
  /**
   * The kernel of an environment, once JupyterLab knows it: it asks the server about kernels but once a minute.
   */
  export async function knownKernel({ app, model }: INotebooksOptions, name: string): Promise<string> {
    await model.start();
    const kernelName =
      model.environments.find(environment => environment.name === name)?.kernel_name ?? name.toLowerCase();
    const { kernelspecs } = app.serviceManager;
    await kernelspecs.ready;
    if (!kernelspecs.specs?.kernelspecs[kernelName]) {
      await kernelspecs.refreshSpecs();
    }
    return kernelName;
  }
}
