/**
 * The words that people read for the values of the server.
 *
 * Each value has a literal here, so that the catalogues know it; a value that this version does not know is shown as it came.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { LocalCodes } from './request';
import type {
  Environment,
  ErrorReport,
  Framework,
  Installer,
  JobKind,
  JobState,
  MemoryPreset,
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
    benchmark: trans.__('Benchmarking %1', name)
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
    grow: trans.__('Only what is needed')
  };
  return words[preset] ?? preset;
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

/**
 * An error as it is shown.
 */
export interface IExplanation {
  /** What happened, one or two sentences. */
  message: string;
  /** What to do next; may be empty. */
  cure: string;
  /** Raw evidence, to be shown on request; may be empty. */
  detail: string;
}

/**
 * Explain what went wrong.
 *
 * The server's sentences are English: to readers of another language a headline of their own is said first.
 *
 * @param reason - An `ApiError`, the error report of a job, or whatever else was thrown.
 */
export function explain(trans: TranslationBundle, reason: unknown): IExplanation {
  const report = Private.reportOf(reason);
  if (!report) {
    if (reason instanceof Error && reason.name === 'ChunkLoadError') {
      return {
        message: trans.__('A part of GPU kernels could not be loaded.'),
        cure: trans.__('Reload the page: the server may have a newer version.'),
        detail: reason.message
      };
    }
    return { message: reason instanceof Error ? reason.message : String(reason), cure: '', detail: '' };
  }
  switch (report.code) {
    case LocalCodes.UNREACHABLE:
      return {
        message: trans.__('The Jupyter server does not answer.'),
        cure: trans.__('Check that it is running and that this machine reaches it, then try again.'),
        detail: report.message
      };
    case LocalCodes.SIGNED_OUT:
      return {
        message: trans.__('You are signed out.'),
        cure: trans.__('Log in again, in this tab or in another, then try again.'),
        detail: report.detail
      };
    case LocalCodes.FOREIGN_ANSWER:
      return {
        message: trans.__('Something else than the GPU kernels extension answered: %1.', report.message),
        cure: trans.__(
          'Check that the server extension jupyter_gpu_kernels is enabled, and that no proxy is in between.'
        ),
        detail: report.detail
      };
  }
  const headline = Private.isEnglish() ? '' : errorHeadline(trans, report.code);
  const message = sentence(trans, report.message);
  return {
    message: headline ? trans._p('headline and sentence', '%1 %2', headline, message) : message,
    cure: report.cure && sentence(trans, report.cure),
    detail: report.detail
  };
}

/** What an error of the server is about, by its code; empty for a code that says nothing. */
export function errorHeadline(trans: TranslationBundle, code: string): string {
  const words: Record<string, string> = {
    invalid_input: trans.__('That is not a valid request.'),
    invalid_name: trans.__('That name cannot be used.'),
    invalid_version: trans.__('That is not a version.'),
    invalid_package: trans.__('That is not a package that can be added.'),
    invalid_channel: trans.__('That is not a channel.'),
    unknown_framework: trans.__('The catalogue has no such framework.'),
    too_large: trans.__('The request is too long.'),
    not_found: trans.__('It is not there, or no longer.'),
    conflict: trans.__('That is not possible now.'),
    name_taken: trans.__('That name is taken.'),
    environment_busy: trans.__('Something else is being done to this environment.'),
    kernels_running: trans.__('Kernels of this environment are running.'),
    refused: trans.__('That cannot work on this machine.'),
    channel: trans.__('A source of packages does not answer as it should.'),
    build_failed: trans.__('The build failed.'),
    unsatisfiable: trans.__('No set of packages fits together.'),
    download_failed: trans.__('The download failed.'),
    install_failed: trans.__('The installation failed.'),
    verification_failed: trans.__('The verification failed.'),
    benchmark_failed: trans.__('The benchmark failed.'),
    cancelled: trans.__('It was cancelled.'),
    interrupted: trans.__('The server ended before the job did.'),
    broken_environment: trans.__('The environment is damaged.')
  };
  return words[code] ?? '';
}

namespace Private {
  /**
   * The report inside an error, if there is one.
   */
  export function reportOf(reason: unknown): ErrorReport | undefined {
    const found = reason as Partial<ErrorReport & { report: ErrorReport }> | null | undefined;
    if (typeof found?.report?.code === 'string') {
      return found.report;
    }
    if (typeof found?.code === 'string' && typeof found.message === 'string') {
      return { code: found.code, message: found.message, cure: found.cure ?? '', detail: found.detail ?? '' };
    }
    return undefined;
  }

  /**
   * Whether the page is in English.
   */
  export function isEnglish(): boolean {
    const language = document.documentElement.lang;
    return !language || language.startsWith('en');
  }
}
