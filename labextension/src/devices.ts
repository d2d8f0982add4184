/**
 * What kernels of a machine can be given.
 */
import type { Hardware } from './tokens';

/**
 * Something that a kernel can be given: a GPU, or an instance of one that is split.
 */
export interface IDevice {
  uuid: string;
  /** What people call it; alike ones are told apart by a number. */
  name: string;
  memory: number;
}

/**
 * What kernels of a machine can be given, in the order of the driver.
 *
 * The numbers are the driver's, as nvidia-smi and the kernels have them: `1` is a GPU, `1:0` its first instance.
 */
export function devicesOf(hardware: Hardware | null): IDevice[] {
  const gpus = hardware?.gpus ?? [];
  return gpus.flatMap(({ index, uuid, name, memory_total, instances }) => {
    const isAlone = gpus.filter(gpu => gpu.name === name).length === 1;
    if (instances.length === 0) {
      return [{ uuid, name: isAlone ? name : `${index} · ${name}`, memory: memory_total }];
    }
    const areTold = isAlone && new Set(instances.map(({ profile }) => profile)).size === instances.length;
    return instances.map((part, place) => ({
      uuid: part.uuid,
      name: areTold ? `${name} · ${part.profile}` : `${index}:${place} · ${name} · ${part.profile}`,
      memory: part.memory_total
    }));
  });
}
