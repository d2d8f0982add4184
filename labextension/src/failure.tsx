/**
 * Telling what went wrong, in a dialog.
 */
import { showErrorMessage } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import * as React from 'react';

import { explain } from './explanation';

/**
 * Show what went wrong and what to do next.
 *
 * @param title - What was to be done, as a sentence.
 * @param reason - Whatever was thrown.
 */
export function showFailure(title: string, reason: unknown, translator: ITranslator): Promise<void> {
  const trans = translator.load('jupyter_gpu_kernels');
  const { message, cure, detail } = explain(trans, reason);
  return showErrorMessage(title, {
    message: (
      <div className="jp-GpuKernels-failure">
        <p>{message}</p>
        {cure && <p>{cure}</p>}
        {detail && (
          <details>
            <summary>{trans.__('Details')}</summary>
            <pre>{detail}</pre>
          </details>
        )}
      </div>
    )
  });
}
