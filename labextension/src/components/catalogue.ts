/**
 * The frameworks, as the panel needs them.
 */
import { useEffect, useState } from 'react';

import type { Framework, IGpuKernels } from '../tokens';

/** Always the same, so that nothing is painted anew for it. */
const NONE: readonly Framework[] = [];

/**
 * The catalogue; empty until it was read, or where it cannot be.
 */
export function useCatalogue(model: IGpuKernels): readonly Framework[] {
  const [frameworks, setFrameworks] = useState(NONE);
  const { isReady } = model;
  useEffect(() => {
    if (isReady) {
      model.frameworks().then(setFrameworks, () => undefined);
    }
  }, [model, isReady]);
  return frameworks;
}
