/**
 * What stands in the form, and the spec that it asks for.
 */
import type { IDefaults, Installer, Spec, Variant } from '../tokens';
import { gpuUseOf, type IGpuUse, SERVER_FRACTION, wishesOf } from './gpuUse';

/**
 * The fields as the person sees them; an empty text leaves the choice to the server.
 */
export interface IFields extends IGpuUse {
  framework: string;
  name: string;
  version: string;
  variant: Variant;
  python: string;
  cuda: string;
  targetCuda: string;
  targetGpu: string;
  installer: Installer;
  /** One a line, like the other two. */
  channels: string;
  packages: string;
  pip: string;
  /** Ids of the framework's extras. */
  extras: string[];
  companions: boolean;
  displayName: string;
}

/** What the server takes where nothing is asked for. */
const SERVER_DEFAULTS: IDefaults = {
  installer: 'auto',
  channels: [],
  companions: true,
  memory: 'default',
  memory_fraction: SERVER_FRACTION,
  placement: 'auto'
};

/** The framework that is chosen where nobody says. */
const FIRST_CHOICE = 'tensorflow';

/**
 * What the form begins with.
 *
 * @param defaults - What the person has set once for all kernels.
 * @param preset - What is known of this one.
 */
export function fieldsOf(defaults: IDefaults, preset: Partial<Spec>): IFields {
  return {
    framework: preset.framework ?? FIRST_CHOICE,
    name: preset.name ?? '',
    version: preset.version ?? '',
    variant: preset.variant ?? 'auto',
    python: preset.python ?? '',
    cuda: preset.cuda ?? '',
    targetCuda: preset.target_cuda ?? '',
    targetGpu: preset.target_gpu ?? '',
    installer: preset.installer ?? defaults.installer,
    channels: (preset.channels ?? defaults.channels).join('\n'),
    packages: (preset.packages ?? []).join('\n'),
    pip: (preset.pip ?? []).join('\n'),
    extras: preset.extras ?? [],
    companions: preset.companions ?? defaults.companions,
    ...gpuUseOf(
      preset.memory ?? defaults.memory,
      preset.memory_fraction ?? defaults.memory_fraction,
      preset.placement ?? { policy: defaults.placement }
    ),
    displayName: preset.display_name ?? ''
  };
}

/**
 * What is asked for, without what is the server's default anyway.
 *
 * @param kept - What was asked for that the form has no field for.
 */
export function specOf(fields: IFields, kept: Partial<Spec> = {}): Spec {
  const spec: Spec = { name: fields.name.trim(), framework: fields.framework };
  if (fields.variant !== 'auto') {
    spec.variant = fields.variant;
  }
  for (const [key, text] of [
    ['version', fields.version],
    ['python', fields.python],
    ['cuda', fields.cuda],
    ['target_cuda', fields.targetCuda],
    ['target_gpu', fields.targetGpu],
    ['display_name', fields.displayName]
  ] as const) {
    if (text.trim()) {
      spec[key] = text.trim();
    }
  }
  if (fields.installer !== 'auto') {
    spec.installer = fields.installer;
  }
  for (const key of ['channels', 'packages', 'pip'] as const) {
    const lines = linesOf(fields[key]);
    if (lines.length) {
      spec[key] = lines;
    }
  }
  if (fields.extras.length) {
    spec.extras = fields.extras;
  }
  if (!fields.companions) {
    spec.companions = false;
  }
  const { placement, ...memory } = wishesOf(fields, kept.placement?.wait);
  if (memory.memory !== 'default') {
    Object.assign(spec, memory);
  }
  if (placement.policy !== 'auto') {
    spec.placement = placement;
  }
  if (kept.verify === false) {
    spec.verify = false;
  }
  if (kept.recipe === false) {
    spec.recipe = false;
  }
  if (kept.sys_prefix) {
    spec.sys_prefix = true;
  }
  return spec;
}

/**
 * Whether a preset asks for what few people do, and what is therefore not seen at once.
 */
export function asksForMore(preset: Partial<Spec>): boolean {
  const shown = ['name', 'framework', 'version', 'variant', 'extras'];
  return Object.keys(specOf(fieldsOf(SERVER_DEFAULTS, preset))).some(key => !shown.includes(key));
}

/**
 * Whether two specs have the same plan: what a kernel is called, and what it does once it runs, is not solved for.
 */
export function samePlan(one: Spec, other: Spec): boolean {
  return solved(one) === solved(other);
}

function solved(spec: Spec): string {
  const unsolved = { name: undefined, display_name: undefined, memory: undefined, memory_fraction: undefined };
  return JSON.stringify({ ...spec, ...unsolved, placement: undefined });
}

function linesOf(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line);
}
