/**
 * Whose the memory of a GPU is, as parts of a bar.
 */
import type { GpuReading, KernelShare } from '../tokens';

/** How many colours there are for kernels. */
export const HUES = 4;

/** Below this part of the whole nobody asks whose it is: the driver takes some for itself. */
const NEGLIGIBLE = 0.01;

/**
 * A part of the memory of a GPU.
 */
export interface ISegment {
  /** `null` for what nobody can tell. */
  share: KernelShare | null;
  /** Bytes. */
  memory: number;
  /** Colour of a kernel, below `HUES`; `null` for what is none of this person's kernels. */
  hue: number | null;
}

/**
 * The parts that are in use, in the order of the shares.
 *
 * @param reading - What the GPU is doing.
 * @param shares - Who has what of it.
 */
export function segmentsOf(reading: GpuReading, shares: readonly KernelShare[]): ISegment[] {
  const segments: ISegment[] = shares.flatMap(share =>
    share.memory ? [{ share, memory: share.memory, hue: hueOf(share, shares) }] : []
  );
  const told = segments.reduce((sum, { memory }) => sum + memory, 0);
  const rest = (reading.memory_used ?? told) - told;
  return rest > NEGLIGIBLE * reading.memory_total ? [...segments, { share: null, memory: rest, hue: null }] : segments;
}

/**
 * The colour of a share, which stays as long as no kernel comes or goes.
 */
export function hueOf(share: KernelShare, shares: readonly KernelShare[]): number | null {
  if (!share.kernel_id) {
    return null;
  }
  const kernels = [...new Set(shares.map(({ kernel_id }) => kernel_id).filter(Boolean))].sort();
  return kernels.indexOf(share.kernel_id) % HUES;
}
