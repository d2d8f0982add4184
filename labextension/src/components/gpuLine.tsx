/**
 * What this machine has, or why it has no GPU, in a line.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { memo } from 'react';

import type { Hardware } from '../tokens';
import { sentence } from '../words';

/**
 * What the line needs.
 */
export interface IGpuLineProps {
  /** `null` while it is not known. */
  hardware: Hardware | null;
  trans: TranslationBundle;
}

/**
 * The GPUs and the driver of the machine that the server runs on.
 */
export const GpuLine = memo(function GpuLine({ hardware, trans }: IGpuLineProps) {
  return (
    <section className="jp-GpuKernels-machine" aria-label={trans.__('This machine')}>
      {hardware === null ? (
        <p>{trans.__('Looking for GPUs…')}</p>
      ) : (
        <>
          <p>{hardware.gpus.length > 0 ? Private.gpus(trans, hardware) : trans.__('No GPU')}</p>
          {hardware.reason && <p>{sentence(trans, hardware.reason)}</p>}
          {hardware.driver !== null && (
            <p className="jp-GpuKernels-faint">
              {hardware.cuda === null
                ? trans.__('Driver %1', hardware.driver)
                : trans.__('Driver %1 · CUDA up to %2', hardware.driver, hardware.cuda)}
            </p>
          )}
          {hardware.notes.map(note => (
            <p key={note} className="jp-GpuKernels-faint">
              {sentence(trans, note)}
            </p>
          ))}
        </>
      )}
    </section>
  );
});

namespace Private {
  /**
   * The names of the GPUs, like ones counted.
   */
  export function gpus(trans: TranslationBundle, hardware: Hardware): string {
    const counts = new Map<string, number>();
    for (const { name } of hardware.gpus) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts].map(([name, count]) => (count === 1 ? name : trans.__('%1 × %2', count, name))).join(' · ');
  }
}
