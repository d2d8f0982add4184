/**
 * That kernels still run what was replaced.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Running } from './runningKernels';

/**
 * What the note needs.
 */
export interface IRestartNoteProps {
  /** Ids of the kernels. */
  needed: readonly string[];
  /** What is known to run. */
  running: readonly Running[];
  trans: TranslationBundle;
}

/**
 * Which kernels to restart; nothing where there are none.
 */
export function RestartNote({ needed, running, trans }: IRestartNoteProps): JSX.Element | null {
  const outdated = running.filter(({ kernel }) => needed.includes(kernel));
  // Kernels of other servers have no session here.
  const count = Math.max(outdated.length, needed.length);
  if (count === 0) {
    return null;
  }
  return (
    <p className="jp-GpuKernels-cure">
      {outdated.length > 0
        ? trans.__(
            'Restart the kernel of %1: it still runs what was replaced.',
            outdated.map(({ name }) => name).join(', ')
          )
        : trans._n(
            'Restart %1 running kernel: it still runs what was replaced.',
            'Restart %1 running kernels: they still run what was replaced.',
            count
          )}
    </p>
  );
}
