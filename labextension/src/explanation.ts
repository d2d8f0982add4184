/**
 * What people read of an error: what happened, what to do next, and the evidence.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { LocalCodes } from './request';
import type { ErrorReport } from './tokens';
import { sentence } from './words';

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
