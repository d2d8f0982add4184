/**
 * The logo of a framework.
 */
import React, { useState } from 'react';

import { gpuKernelIcon } from '../icons';

/**
 * The logo; ours, where the server has none. It says nothing that the text beside it does not.
 */
export function KernelLogo({ url }: { url: string }): JSX.Element {
  const [failed, setFailed] = useState('');
  return (
    <span className="jp-GpuKernels-logo" aria-hidden="true">
      {failed === url ? (
        <gpuKernelIcon.react tag="span" />
      ) : (
        <img src={url} alt="" loading="lazy" onError={() => setFailed(url)} />
      )}
    </span>
  );
}
