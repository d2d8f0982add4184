/**
 * What is to be said of a GPU kernel as it stands: one word, why, and what to do.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, circleEmptyIcon, errorIcon, type LabIcon, offlineBoltIcon } from '@jupyterlab/ui-components';

import type { Environment, JobKind } from '../tokens';
import { outcomeWord, sentence } from '../words';

/** How a state is to be taken; never told by colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'none';

/**
 * The state of a GPU kernel.
 */
export interface IKernelState {
  tone: Tone;
  icon: LabIcon;
  /** A word or two. */
  word: string;
  /** Why; may be empty. */
  why: string;
  /** What to do; empty where nothing is amiss. */
  cure: string;
}

/**
 * Read the state off an environment.
 *
 * @param busy - What is being done to it, if anything is.
 */
export function stateOf(trans: TranslationBundle, environment: Environment, busy: JobKind | null): IKernelState {
  const { damaged, registered, verification } = environment;
  if (busy !== null) {
    return { tone: 'none', icon: circleEmptyIcon, word: Private.busyWord(trans, busy), why: '', cure: '' };
  }
  if (damaged) {
    return {
      tone: 'bad',
      icon: errorIcon,
      word: trans.__('Damaged'),
      why: sentence(trans, damaged),
      cure: trans.__('Remove it, and create it again.')
    };
  }
  if (!registered) {
    return {
      tone: 'warn',
      icon: errorIcon,
      word: trans.__('Not registered'),
      why: trans.__('Its kernelspec is gone, so that JupyterLab does not offer it.'),
      cure: trans.__('Verify it: if it works, it is registered again.')
    };
  }
  if (verification === null) {
    return {
      tone: 'none',
      icon: circleEmptyIcon,
      word: trans.__('Not verified'),
      why: trans.__('It was not tried in a real kernel.'),
      cure: ''
    };
  }
  const why = sentence(trans, verification.sentence);
  const word = outcomeWord(trans, verification.outcome);
  switch (verification.outcome) {
    case 'failed':
      return { tone: 'bad', icon: errorIcon, word, why, cure: trans.__('Rebuild it, or verify it again.') };
    case 'gpu_not_seen':
      return {
        tone: 'warn',
        icon: offlineBoltIcon,
        word,
        why,
        cure: trans.__('Mend the cause, then verify it again.')
      };
    default:
      return { tone: 'good', icon: checkIcon, word, why, cure: '' };
  }
}

namespace Private {
  /**
   * What is being done to an environment.
   */
  export function busyWord(trans: TranslationBundle, kind: JobKind): string {
    const words: Record<JobKind, string> = {
      create: trans.__('Being created…'),
      rebuild: trans.__('Being rebuilt…'),
      remove: trans.__('Being removed…'),
      verify: trans.__('Being verified…'),
      benchmark: trans.__('Benchmark runs…'),
      edit: trans.__('Packages are being changed…'),
      import: trans.__('Being imported…'),
      clone: trans.__('Being cloned…'),
      rename: trans.__('Being renamed…'),
      pack: trans.__('Being packed…'),
      adopt: trans.__('Being adopted…')
    };
    return words[kind] ?? trans.__('Busy');
  }
}
