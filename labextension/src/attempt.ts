/**
 * Doing what was asked for, and saying what came of it.
 */
import type { ITranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from './commandIds';
import type { Job } from './tokens';

/**
 * Do something; what goes wrong is shown.
 *
 * @param title - What has not been done, if it goes wrong.
 */
export async function attempt(translator: ITranslator, title: string, action: () => Promise<unknown>): Promise<void> {
  try {
    await action();
  } catch (reason) {
    const { showFailure } = await import('./failure');
    await showFailure(title, reason, translator);
  }
}

/**
 * Show a job that has begun, where there is a panel.
 */
export async function showJob(commands: CommandRegistry, begun: Promise<Job | null>): Promise<void> {
  const job = await begun;
  if (job && commands.hasCommand(CommandIDs.show)) {
    await commands.execute(CommandIDs.show, { keepFocus: true });
  }
}
