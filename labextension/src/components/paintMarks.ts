/**
 * When data have arrived and when they were painted, for benchmarks.
 *
 * Entries of the browser's own timeline (`performance.getEntriesByName`), the latest of each name:
 *
 * - mark `gpu-kernels:data`: the model has told of a new list of environments;
 * - mark `gpu-kernels:paint`: the frame with that list was handed to the screen;
 * - measure `gpu-kernels:data-to-paint`: from the one to the other; its `detail` is `{ environments: <how many> }`.
 */
import { useEffect, useLayoutEffect, useRef } from 'react';

import type { IGpuKernels } from '../tokens';

const DATA = 'gpu-kernels:data';
const PAINT = 'gpu-kernels:paint';
const MEASURE = 'gpu-kernels:data-to-paint';

/**
 * Set the marks for a component that shows the environments of a model.
 */
export function usePaintMarks(model: IGpuKernels): void {
  const told = useRef<IGpuKernels['environments'] | null>(null);
  const painted = useRef<IGpuKernels['environments'] | null>(null);

  const note = useRef(() => {
    if (model.isReady && told.current !== model.environments) {
      told.current = model.environments;
      performance.clearMarks(DATA);
      performance.mark(DATA);
    }
  }).current;

  // Data that were there before the panel arrive as it is first rendered.
  note();
  useEffect(() => {
    model.changed.connect(note);
    return () => {
      model.changed.disconnect(note);
    };
  }, [model, note]);

  useLayoutEffect(() => {
    const { environments } = model;
    if (told.current !== environments || painted.current === environments) {
      return;
    }
    painted.current = environments;
    requestAnimationFrame(() => {
      // This runs before style, layout and paint of its frame; the next task runs after them.
      setTimeout(() => {
        performance.clearMarks(PAINT);
        performance.clearMeasures(MEASURE);
        performance.mark(PAINT);
        performance.measure(MEASURE, { start: DATA, end: PAINT, detail: { environments: environments.length } });
      });
    });
  });
}
