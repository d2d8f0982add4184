/**
 * The plugin that lets notebooks carry their kernels; it looks whether one has to do with ours, and no more.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { fetchPart } from '../attempt';
import { IGpuKernels } from '../tokens';

/** Our key in the metadata of notebooks and of kernelspecs. */
const KEY = 'jupyter_gpu_kernels';

export const recipesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-gpu-kernels:recipes',
  description: 'Lets notebooks carry their GPU kernel, and offers to build that where it is missing.',
  autoStart: true,
  requires: [IGpuKernels, INotebookTracker],
  optional: [ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    model: IGpuKernels,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    settings: ISettingRegistry | null
  ): void => {
    const messages = translator ?? nullTranslator;
    const { kernelspecs } = app.serviceManager;
    const look = (panel: NotebookPanel): void => {
      const { context, sessionContext } = panel;
      const take = (): void => {
        const name = sessionContext.session?.kernel?.name ?? '';
        const isOurs = KEY in (kernelspecs.specs?.kernelspecs[name]?.metadata ?? {});
        if (panel.isDisposed || !context.isReady || !(isOurs || context.model.getMetadata(KEY))) {
          return;
        }
        sessionContext.kernelChanged.disconnect(take, panel);
        const part = fetchPart(import('../recipes/watch'), messages);
        void part.then(part => part?.watchNotebook({ panel, model, kernelspecs, settings, translator: messages }));
      };
      sessionContext.kernelChanged.connect(take, panel);
      void context.ready.then(take, () => undefined);
    };
    tracker.forEach(look);
    tracker.widgetAdded.connect((_: unknown, panel: NotebookPanel) => look(panel));
  }
};
