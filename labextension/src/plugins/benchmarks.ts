/**
 * The plugin that watches notebooks for results of the bundled one; it does nothing until there is a notebook.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { IGpuKernels } from '../tokens';

export const benchmarksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-gpu-kernels:benchmarks',
  description: 'Runs the CPU versus GPU notebook where it was asked for, and keeps its results.',
  autoStart: true,
  requires: [IGpuKernels, INotebookTracker],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IGpuKernels,
    tracker: INotebookTracker,
    translator: ITranslator | null
  ): void => {
    const watch = async (): Promise<void> => {
      const [{ BenchmarkWatcher }, { PendingRuns }] = await Promise.all([
        import('../benchmarks'),
        import('../pendingRuns')
      ]);
      const pendingRuns = new PendingRuns(localStorage, app.serviceManager.serverSettings.baseUrl);
      // It lives as long as the page.
      // eslint-disable-next-line jupyter/require-disposable-ownership
      new BenchmarkWatcher({ tracker, model, pendingRuns, translator: translator ?? nullTranslator });
    };
    if (tracker.size > 0) {
      void watch();
      return;
    }
    const watchFromFirst = (): void => {
      tracker.widgetAdded.disconnect(watchFromFirst);
      void watch();
    };
    tracker.widgetAdded.connect(watchFromFirst);
  }
};
