/**
 * Doing what was asked for, and saying what came of it.
 */
import { Notification } from '@jupyterlab/apputils';
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
    const failure = await fetchPart(import('./failure'), translator);
    await failure?.showFailure(title, reason, translator);
  }
}

/**
 * Wait for a part of the extension; that it does not come is told.
 *
 * An open page outlives an upgrade of the server, and then asks for parts that are there no longer.
 */
export async function fetchPart<T>(part: Promise<T>, translator: ITranslator): Promise<T | undefined> {
  try {
    return await part;
  } catch {
    const trans = translator.load('jupyter_gpu_kernels');
    Notification.error(trans.__('A part of GPU kernels could not be loaded: reload the page.'), { autoClose: false });
    return undefined;
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
