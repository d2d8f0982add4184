/**
 * What the buttons say that cure something.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Remedy } from '../tokens';

/** What a remedy does, in the words of its button; one that this version does not know says it itself. */
export function remedyWord(trans: TranslationBundle, remedy: Remedy): string {
  const words: Record<string, string> = {
    rebuild: trans.__('Rebuild'),
    verify: trans.__('Verify'),
    'remove-environment': trans.__('Remove the environment'),
    'remove-kernelspec': trans.__('Remove the kernel'),
    'adopt-kernelspec': trans.__('Start it with the provisioner'),
    'release-kernelspec': trans.__('Start it as before'),
    'end-process': trans.__('End the process'),
    'clean-cache': trans.__('Clean the cache')
  };
  return words[remedy.id] ?? remedy.label;
}
