/**
 * What a benchmark has found, in a few words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { factor, timing } from '../format';
import type { BenchmarkResult } from '../tokens';
import { deviceWord, workloadWord } from '../words';

/**
 * The result in a line: how many times faster the GPU is, or how long the CPU takes.
 */
export function headline(trans: TranslationBundle, result: BenchmarkResult): string {
  const speedups = Object.values(result.speedups ?? {});
  if (speedups.length > 0) {
    const [least, most] = [Math.min(...speedups), Math.max(...speedups)];
    if (most < 1.05) {
      return trans.__('Not faster than the CPU');
    }
    return factor(least) === factor(most)
      ? trans.__('%1× faster than the CPU', factor(most))
      : trans.__('%1× to %2× faster than the CPU', factor(least), factor(most));
  }
  const first = result.timings[0];
  return first
    ? trans.__(
        '%1 on the %2: %3',
        workloadWord(trans, first.workload),
        deviceWord(trans, first.device),
        timing(first.median)
      )
    : trans.__('Nothing was measured');
}
