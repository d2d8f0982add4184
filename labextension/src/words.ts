/**
 * The words that people read for the values of the server.
 *
 * Each value has a literal here, so that the catalogues know it; a value that this version does not know is shown as it came.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  Environment,
  FileFormat,
  Framework,
  GpuPolicy,
  Hardware,
  Installer,
  JobKind,
  JobState,
  MemoryPreset,
  PackageOrigin,
  Severity,
  Stage,
  Variant,
  Verification
} from './tokens';

/** What a job is doing. */
export function stageWord(trans: TranslationBundle, stage: Stage): string {
  const words: Record<Stage, string> = {
    solve: trans.__('Finding packages that fit'),
    download: trans.__('Downloading'),
    link: trans.__('Installing'),
    wheels: trans.__('Installing wheels'),
    compile: trans.__('Compiling modules'),
    verify: trans.__('Verifying in a real kernel'),
    register: trans.__('Registering the kernel')
  };
  return words[stage] ?? stage;
}

/** Where a job stands. */
export function stateWord(trans: TranslationBundle, state: JobState): string {
  const words: Record<JobState, string> = {
    queued: trans.__('Waiting'),
    running: trans.__('Running'),
    succeeded: trans.__('Done'),
    failed: trans.__('Failed'),
    cancelled: trans.__('Cancelled')
  };
  return words[state] ?? state;
}

/** What a job does to an environment, as a heading. */
export function jobTitle(trans: TranslationBundle, kind: JobKind, name: string): string {
  const words: Record<JobKind, string> = {
    create: trans.__('Creating %1', name),
    rebuild: trans.__('Rebuilding %1', name),
    remove: trans.__('Removing %1', name),
    verify: trans.__('Verifying %1', name),
    benchmark: trans.__('Benchmarking %1', name),
    edit: trans.__('Changing packages of %1', name),
    import: trans.__('Importing %1', name),
    clone: trans.__('Cloning to %1', name),
    rename: trans.__('Renaming to %1', name),
    pack: trans.__('Packing %1', name),
    adopt: trans.__('Adopting %1', name)
  };
  return words[kind] ?? name;
}

/** For which hardware a framework is built. */
export function variantWord(trans: TranslationBundle, variant: Variant): string {
  const words: Record<Variant, string> = {
    auto: trans.__('Automatic'),
    gpu: trans.__('GPU'),
    cpu: trans.__('CPU')
  };
  return words[variant] ?? variant;
}

/** Where packages come from. */
export function installerWord(trans: TranslationBundle, installer: Installer): string {
  const words: Record<Installer, string> = {
    auto: trans.__('Automatic'),
    conda: trans.__('conda'),
    pypi: trans.__('PyPI')
  };
  return words[installer] ?? installer;
}

/** What a verification found. */
export function outcomeWord(trans: TranslationBundle, outcome: Verification['outcome']): string {
  const words: Record<Verification['outcome'], string> = {
    verified: trans.__('Verified'),
    gpu_not_seen: trans.__('Sees no GPU'),
    failed: trans.__('Verification failed')
  };
  return words[outcome] ?? outcome;
}

/** What an environment is on disk. */
export function kindWord(trans: TranslationBundle, kind: Environment['kind']): string {
  const words: Record<Environment['kind'], string> = {
    conda: trans.__('conda environment'),
    virtualenv: trans.__('virtual environment')
  };
  return words[kind] ?? kind;
}

/** How a framework takes the memory of a GPU. */
export function memoryWord(trans: TranslationBundle, preset: MemoryPreset): string {
  const words: Record<MemoryPreset, string> = {
    default: trans.__('As the framework does'),
    grow: trans.__('Only what is needed'),
    fraction: trans.__('Up to a part of it')
  };
  return words[preset] ?? preset;
}

/** How GPUs are chosen for a kernel. */
export function policyWord(trans: TranslationBundle, policy: GpuPolicy): string {
  const words: Record<GpuPolicy, string> = {
    auto: trans.__('Automatic'),
    all: trans._p('GPUs', 'All'),
    'least-used': trans.__('The least used'),
    exclusive: trans.__('Not shared with other kernels'),
    fixed: trans.__('Always the same')
  };
  return words[policy] ?? policy;
}

/** How much findings of the doctor matter, as a heading. */
export function severityWord(trans: TranslationBundle, severity: Severity): string {
  const words: Record<Severity, string> = {
    problem: trans.__('Problems'),
    warning: trans.__('Warnings'),
    note: trans.__('Notes')
  };
  return words[severity] ?? severity;
}

/** Why a package is in an environment. */
export function originWord(trans: TranslationBundle, origin: PackageOrigin): string {
  const words: Record<PackageOrigin, string> = {
    asked: trans.__('Asked for'),
    framework: trans.__('Framework'),
    companion: trans.__('Companion'),
    dependency: trans.__('Dependency'),
    outside: trans.__('From outside')
  };
  return words[origin] ?? origin;
}

/** What an environment is written to, in a few words. */
export function formatWord(trans: TranslationBundle, format: FileFormat): string {
  const words: Record<FileFormat, string> = {
    'environment.yml': trans.__('environment.yml'),
    'exact.yml': trans.__('environment.yml, exact'),
    'explicit.txt': trans.__('Explicit list'),
    'pixi.lock': trans.__('Lock file'),
    'conda-lock.yml': trans.__('Lock file of conda-lock'),
    'requirements.txt': trans.__('Requirements'),
    'recipe.json': trans.__('Recipe of a notebook'),
    pack: trans.__('Pack')
  };
  return words[format] ?? format;
}

/** What the bundled notebook computes. */
export function workloadWord(trans: TranslationBundle, workload: string): string {
  const words: Record<string, string> = {
    convolution: trans.__('Convolution'),
    matmul: trans.__('Matrix product')
  };
  return words[workload] ?? workload;
}

/** What computes. */
export function deviceWord(trans: TranslationBundle, device: string): string {
  const words: Record<string, string> = { gpu: trans.__('GPU'), cpu: trans.__('CPU') };
  return words[device] ?? device;
}

/**
 * How much is done of what a stage counts.
 *
 * @param unit - What is counted, as the server names it.
 */
export function countPhrase(trans: TranslationBundle, unit: string, done: number, total: number): string {
  switch (unit) {
    case 'packages':
      return trans._n('%2 of %1 package', '%2 of %1 packages', total, done);
    case 'cells':
      return trans._n('%2 of %1 cell', '%2 of %1 cells', total, done);
    case 'modules':
      return trans._n('%2 of %1 module', '%2 of %1 modules', total, done);
    default:
      return trans.__('%1 of %2', done, total);
  }
}

/**
 * A sentence of the server, in the reader's language where the catalogue has it word for word.
 *
 * That is so for the sentences of the bundled frameworks (summary, legacy, notes of recipes, reasons of absences).
 */
export function sentence(trans: TranslationBundle, text: string): string {
  // A percent sign would begin a placeholder.
  // eslint-disable-next-line jupyter/no-dynamic-translation -- the server has the literal, and the test of the catalogue knows
  return trans.__(text.replace(/%/g, '%%'));
}

/** What a framework is for. */
export function frameworkSummary(trans: TranslationBundle, framework: Framework): string {
  return framework.summary && sentence(trans, framework.summary);
}

/** What a reader must know of a framework that upstream no longer cares for; empty for the living. */
export function frameworkLegacy(trans: TranslationBundle, framework: Framework): string {
  return framework.legacy && sentence(trans, framework.legacy);
}

/** What becomes of a framework on a machine without an NVIDIA GPU; empty where there is one, or nothing to be said. */
export function frameworkElsewhere(trans: TranslationBundle, framework: Framework, hardware: Hardware): string {
  const text = hardware.vendor === 'nvidia' ? '' : framework.elsewhere[hardware.vendor];
  return text && sentence(trans, text);
}
