/**
 * The menu of a GPU kernel: all that can be done with it.
 */
import { MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from '../commandIds';

/**
 * Open the menu below its button, and give the focus back to it at the end.
 *
 * @param name - Name of the environment.
 * @param onClose - Called when the menu is gone.
 */
export function openKernelMenu(
  commands: CommandRegistry,
  name: string,
  button: HTMLElement,
  onClose: () => void
): void {
  const menu = new MenuSvg({ commands });
  const args = { name };
  for (const command of [CommandIDs.openNotebook, CommandIDs.useInNotebook, CommandIDs.benchmark]) {
    menu.addItem({ command, args });
  }
  menu.addItem({ type: 'separator' });
  for (const command of [CommandIDs.verify, CommandIDs.diagnose]) {
    menu.addItem({ command, args });
  }
  menu.addItem({ type: 'separator' });
  for (const command of [CommandIDs.packages, CommandIDs.changeGpus, CommandIDs.rebuild]) {
    menu.addItem({ command, args });
  }
  menu.addItem({ type: 'separator' });
  for (const command of [CommandIDs.share, CommandIDs.clone, CommandIDs.rename]) {
    menu.addItem({ command, args });
  }
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: CommandIDs.remove, args });
  menu.aboutToClose.connect(() => {
    onClose();
    // Before the chosen command runs: its dialog then returns the focus to the button too.
    button.focus();
    // The command of the chosen item has not been triggered yet.
    setTimeout(() => menu.dispose());
  });
  const { left, bottom } = button.getBoundingClientRect();
  menu.open(left, bottom);
}
