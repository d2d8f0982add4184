/**
 * The plugin that watches notebooks for results of the bundled one; it does nothing until there is a notebook.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { fetchPart } from '../attempt';
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
    const messages = translator ?? nullTranslator;
    const watch = async (): Promise<void> => {
      const part = await fetchPart(import('../benchmarks'), messages);
      part?.watchBenchmarks({
        tracker,
        model,
        translator: messages,
        baseUrl: app.serviceManager.serverSettings.baseUrl
      });
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
