/**
 * Commands from the panel.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { explain } from '../explanation';

/**
 * Execute a command; should it fail without a word of its own, say why.
 */
export function run(
  commands: CommandRegistry,
  trans: TranslationBundle,
  id: string,
  args: ReadonlyPartialJSONObject = {}
): void {
  commands.execute(id, args).catch((reason: unknown) => {
    const { message, cure } = explain(trans, reason);
    void showErrorMessage(commands.label(id, args) || trans.__('GPU kernels'), [message, cure].join('\n\n').trim());
  });
}
