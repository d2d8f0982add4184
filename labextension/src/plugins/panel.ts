/**
 * The plugin of the side panel: a frame at the start, its content when it is first shown.
 */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandIds';
import { gpuKernelIcon } from '../icons';
import { LazyPanel } from '../lazyPanel';
import { IGpuKernels } from '../tokens';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-gpu-kernels:panel',
  description: 'Shows the GPU kernels, and what is being built, in a side panel.',
  autoStart: true,
  requires: [IGpuKernels],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    model: IGpuKernels,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ): void => {
    const { commands, serviceManager, shell } = app;
    translator ??= nullTranslator;
    const trans = translator.load('jupyter_gpu_kernels');

    const panel = new LazyPanel({
      model,
      commands,
      kernels: serviceManager.kernels,
      sessions: serviceManager.sessions,
      specs: serviceManager.kernelspecs,
      translator
    });
    panel.id = 'jp-gpu-kernels';
    panel.title.icon = gpuKernelIcon;
    panel.title.caption = trans.__('GPU kernels');
    // Below the running sessions (200), above the table of contents (400).
    shell.add(panel, 'left', { rank: 300, type: 'GPU kernels' });
    restorer?.add(panel, 'gpu-kernels');

    commands.addCommand(CommandIDs.show, {
      label: trans.__('Show GPU Kernels'),
      caption: trans.__('Show the GPU kernels and what is being built'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            keepFocus: {
              type: 'boolean',
              description: trans.__('Whether to leave the focus where it is if the panel is seen already')
            }
          }
        }
      },
      execute: args => {
        if (!args.keepFocus || !panel.isVisible) {
          shell.activateById(panel.id);
        }
      }
    });
    palette?.addItem({ command: CommandIDs.show, category: trans.__('GPU Kernels') });
  }
};
