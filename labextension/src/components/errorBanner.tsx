/**
 * Why the panel may be out of date.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, errorIcon } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import { explain } from '../explanation';
import { LocalCodes } from '../request';
import type { IGpuKernels } from '../tokens';
import { Explanation } from './jobOutcome';

/**
 * What the banner needs.
 */
export interface IErrorBannerProps {
  error: Error;
  model: IGpuKernels;
  trans: TranslationBundle;
}

/**
 * What went wrong with the last reading; what was read before stays below.
 */
export function ErrorBanner({ error, model, trans }: IErrorBannerProps): JSX.Element {
  const [reads, setReads] = useState(false);
  const retry = () => {
    if (reads) {
      return;
    }
    setReads(true);
    // Should it fail again, the model says so by its error.
    model
      .refresh()
      .catch(() => undefined)
      .finally(() => setReads(false));
  };
  return (
    <div className="jp-GpuKernels-banner" role="alert">
      <h2>
        <errorIcon.react tag="span" className="jp-GpuKernels-tone" />
        {Private.isUnreachable(error)
          ? trans.__('Offline')
          : model.isReady
            ? trans.__('Out of date')
            : trans.__('Not available')}
      </h2>
      <Explanation {...explain(trans, error)} trans={trans} />
      {model.isReady && <p className="jp-GpuKernels-faint">{trans.__('What is shown is what was read last.')}</p>}
      {/* Disabled it would lose the focus. */}
      <Button className="jp-GpuKernels-button" aria-disabled={reads || undefined} onClick={retry}>
        {reads ? trans.__('Reconnecting…') : trans.__('Retry')}
      </Button>
    </div>
  );
}

namespace Private {
  /**
   * Whether no server answers at all.
   */
  export function isUnreachable(error: Error): boolean {
    return (error as { report?: { code?: string } }).report?.code === LocalCodes.UNREACHABLE;
  }
}
