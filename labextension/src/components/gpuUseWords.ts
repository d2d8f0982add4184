/**
 * What kernels are given of the GPUs, in a few words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { decimal, percent } from '../format';
import type { Environment } from '../tokens';
import { memoryWord, policyWord } from '../words';

/** Which GPUs kernels of an environment are given. */
export function placementPhrase(trans: TranslationBundle, { placement }: Environment): string {
  const { policy = 'auto', count = 1, devices = [] } = placement ?? {};
  const word = policyWord(trans, policy);
  const many = policy === 'fixed' ? devices.length : count;
  return many > 1 ? trans._p('GPUs and how many', '%1 (%2)', word, decimal(many)) : word;
}

/** How they take the memory of a GPU. */
export function memoryPhrase(trans: TranslationBundle, { memory, memory_fraction }: Environment): string {
  return memory === 'fraction' ? trans.__('Up to %1', percent(memory_fraction)) : memoryWord(trans, memory);
}
