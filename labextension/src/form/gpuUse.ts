/**
 * What kernels are given of the GPUs: which of them, and how much of their memory; as fields, and as the server has it.
 */
import type { Environment, GpuPolicy, MemoryPreset, Placement } from '../tokens';

/**
 * The fields as the person sees them.
 */
export interface IGpuUse {
  memory: MemoryPreset;
  /** Percent of a GPU's memory, for `fraction`. */
  memoryPercent: string;
  policy: GpuPolicy;
  /** How many GPUs, for `least-used` and `exclusive`. */
  gpuCount: string;
  /** Identifiers of GPUs or instances of GPUs, for `fixed`. */
  devices: readonly string[];
}

/**
 * What the server is asked for.
 */
export interface IWishes {
  memory: MemoryPreset;
  /** Only for `fraction`. */
  memory_fraction?: number;
  placement: Placement;
}

/** How GPUs can be chosen, what most people want first. */
export const POLICIES: readonly GpuPolicy[] = ['auto', 'least-used', 'exclusive', 'all', 'fixed'];

/** How memory can be taken. */
export const PRESETS: readonly MemoryPreset[] = ['default', 'grow', 'fraction'];

/** What the server takes where nothing is asked for. */
export const SERVER_FRACTION = 0.5;

/** The least percentage of the memory that is asked for; the server knows no digits beyond. */
export const LEAST_PERCENT = 0.1;

/** The fields of what is known. */
export function gpuUseOf(memory: MemoryPreset, fraction: number, placement: Partial<Placement>): IGpuUse {
  return {
    memory,
    memoryPercent: String(Math.round(fraction * 1000) / 10),
    policy: placement.policy ?? 'auto',
    gpuCount: String(placement.count ?? 1),
    devices: placement.devices ?? []
  };
}

/**
 * What the server is asked for: what is chosen, and nothing of what was not.
 *
 * @param wait - Seconds to wait where no GPU is free, for which there is no field.
 */
export function wishesOf(use: IGpuUse, wait = 0): IWishes {
  const { memory, policy } = use;
  return {
    memory,
    ...(memory === 'fraction' && { memory_fraction: fractionOf(use) }),
    placement: {
      policy,
      count: takesCount(policy) ? countOf(use) : 1,
      devices: policy === 'fixed' ? [...use.devices] : [],
      wait
    }
  };
}

/** Whether it is said how many GPUs are wanted. */
export function takesCount(policy: GpuPolicy): boolean {
  return policy === 'least-used' || policy === 'exclusive';
}

/** What may be wrong with the fields. */
export type Flaw = 'percent' | 'count' | 'devices';

/** What is wrong with the fields. */
export function flawsOf(use: IGpuUse): Flaw[] {
  const flaws: Flaw[] = [];
  if (use.memory === 'fraction' && !(Number(use.memoryPercent) >= LEAST_PERCENT && fractionOf(use) <= 1)) {
    flaws.push('percent');
  }
  if (takesCount(use.policy) && !(Number.isInteger(countOf(use)) && countOf(use) > 0)) {
    flaws.push('count');
  }
  if (use.policy === 'fixed' && use.devices.length === 0) {
    flaws.push('devices');
  }
  return flaws;
}

/** What kernels of an environment are given. */
export function useOf({ memory, memory_fraction, placement }: Environment): IGpuUse {
  return gpuUseOf(memory, memory_fraction, placement ?? {});
}

function fractionOf({ memoryPercent }: IGpuUse): number {
  // Rounded as it is shown: 0.1 × 3 is no number for people.
  return Math.round(Number(memoryPercent || NaN) * 10) / 1000;
}

function countOf({ gpuCount }: IGpuUse): number {
  return Number(gpuCount || NaN);
}
