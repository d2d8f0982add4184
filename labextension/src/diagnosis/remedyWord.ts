/**
 * What the buttons say that cure something, and which of them begin a job.
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
    'clean-cache': trans.__('Clean the cache'),
    sweep: trans.__('Tidy up')
  };
  return words[remedy.id] ?? remedy.label;
}

/** Whether a remedy takes so long that it is a job. */
export function isJob(remedy: Remedy): boolean {
  return ['rebuild', 'verify', 'remove-environment'].includes(remedy.id);
}
