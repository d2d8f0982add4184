/**
 * The question how a kernel is to be shown.
 */
import { InputDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Environment } from '../tokens';

/**
 * What the question needs.
 */
export interface IRenameOptions {
  environment: Environment;
  trans: TranslationBundle;
}

/**
 * Ask for a name to show; `null` if it is to stay as it is.
 */
export async function askDisplayName({ environment, trans }: IRenameOptions): Promise<string | null> {
  const { button, value } = await InputDialog.getText({
    title: trans.__('Rename %1', environment.name),
    label: trans.__('Name shown in the Launcher and in notebooks'),
    text: environment.display_name,
    okLabel: trans.__('Rename'),
    cancelLabel: trans.__('Cancel'),
    // At least one character that is seen.
    pattern: '.*\\S.*',
    required: true
  });
  const wanted = value?.trim();
  return button.accept && wanted && wanted !== environment.display_name ? wanted : null;
}
