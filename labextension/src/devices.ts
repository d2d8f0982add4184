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

/** What kernels of a machine can be given, in the order of the driver. */
export function devicesOf(hardware: Hardware | null): IDevice[] {
  const devices = (hardware?.gpus ?? []).flatMap(({ uuid, name, memory_total, instances }) =>
    instances.length > 0
      ? instances.map(part => ({ uuid: part.uuid, name: `${name} · ${part.profile}`, memory: part.memory_total }))
      : [{ uuid, name, memory: memory_total }]
  );
  return devices.map((device, index) =>
    devices.some(other => other !== device && other.name === device.name)
      ? { ...device, name: `${index} · ${device.name}` }
      : device
  );
}
