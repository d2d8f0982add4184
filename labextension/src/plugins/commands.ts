/**
 * The plugin of the commands, and of the places that offer them.
 */
import { ILabShell, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs } from '../commandIds';
// eslint-disable-next-line jupyter/prefer-lazy-imports -- the commands must be there when the menus are made
import { addCommands } from '../commands';
import { newKernelCard } from '../icons';
import { translateSettings } from '../settings';
import { IGpuKernels } from '../tokens';

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-gpu-kernels:commands',
  description: 'Makes, uses and removes GPU kernels from the Launcher, the Kernel menu and the command palette.',
  autoStart: true,
  requires: [IGpuKernels],
  optional: [
    ITranslator,
    ISettingRegistry,
    IDefaultFileBrowser,
    INotebookTracker,
    ILabShell,
    ILauncher,
    IMainMenu,
    ICommandPalette
  ],
  activate: (
    app: JupyterFrontEnd,
    model: IGpuKernels,
    translator: ITranslator | null,
    settings: ISettingRegistry | null,
    browser: IDefaultFileBrowser | null,
    tracker: INotebookTracker | null,
    labShell: ILabShell | null,
    launcher: ILauncher | null,
    menu: IMainMenu | null,
    palette: ICommandPalette | null
  ): void => {
    translator ??= nullTranslator;
    const trans = translator.load('jupyter_gpu_kernels');
    if (settings) {
      translateSettings(settings, trans);
    }
    addCommands({ app, model, translator, settings, browser, tracker, isSingleDocument: labShell === null });

    // eslint-disable-next-line jupyter/incorrect-translator-usage -- JupyterLab's own text is none of ours
    const labTrans = translator.load('jupyterlab');
    launcher?.add({
      command: CommandIDs.create,
      args: { isLauncher: true },
      // The category of JupyterLab itself, so its own translation.
      category: labTrans.__('Notebook'),
      // The default kernel has rank 0, the others Infinity: nothing can stand behind them, but between is one place
      // that does not depend on their names.
      rank: 1,
      kernelIconUrl: newKernelCard
    });
    // Below *Change Kernel…*, which has rank 3.
    menu?.kernelMenu.addGroup([{ command: CommandIDs.create }, { command: CommandIDs.show }], 4);
    app.contextMenu.addItem({
      command: CommandIDs.importFile,
      args: { isContext: true },
      selector: '.jp-DirListing-item[data-isdir="false"]',
      // Below *Open With*.
      rank: 2
    });
    for (const command of [
      CommandIDs.create,
      CommandIDs.importFile,
      CommandIDs.adopt,
      CommandIDs.channels,
      CommandIDs.diagnose,
      CommandIDs.refresh
    ]) {
      palette?.addItem({ command, category: trans.__('GPU Kernels') });
    }
  }
};
