/**
 * What is said when a job ends, and what can be done then.
 */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import { CommandIDs } from './commandIds';
import { explain } from './explanation';
import { factor } from './format';
import type { BenchmarkResult, Job } from './tokens';
import { workloadWord } from './words';

/**
 * A notification, before it is emitted.
 */
export interface INotice {
  message: string;
  type: Notification.TypeOptions;
  options: Notification.IOptions<never>;
}

/** Tell the person that a job has ended, unless that says itself. */
export function notifyEnd(job: Job, trans: TranslationBundle, commands: CommandRegistry): void {
  const notice = noticeOf(job, trans, commands);
  if (notice) {
    Notification.emit(notice.message, notice.type, notice.options);
  }
}

/**
 * What is said at the end of a job; nothing of a cancelled one.
 */
export function noticeOf(job: Job, trans: TranslationBundle, commands: CommandRegistry): INotice | null {
  switch (job.state) {
    case 'succeeded':
      return Private.successOf(job, trans, commands);
    case 'failed':
      return Private.failureOf(job, trans, commands);
    default:
      return null;
  }
}

namespace Private {
  /** One that stays until the person has seen it: builds take longer than anybody waits. */
  const STAYS = { autoClose: false } as const;

  /** One that is seen in passing, by whoever waits for it; JupyterLab keeps it in its list. */
  const PASSES = { autoClose: 5000 } as const;

  /** JupyterLab cuts what is longer. */
  const MAX_LENGTH = 140;

  export function successOf(job: Job, trans: TranslationBundle, commands: CommandRegistry): INotice | null {
    const { name } = job;
    switch (job.kind) {
      case 'create':
      case 'rebuild':
      case 'import':
      case 'clone':
      case 'adopt':
        return readyOf(job, trans, commands);
      case 'edit':
        return { message: trans.__('The packages of %1 are changed.', name), type: 'success', options: PASSES };
      case 'rename':
        return { message: trans.__('%1 is now called %2.', job.source, name), type: 'success', options: PASSES };
      case 'pack':
        return {
          message: trans.__('%1 is packed: %2', name, job.file),
          type: 'success',
          options: { ...STAYS, actions: [show(trans, commands)] }
        };
      case 'verify':
        return verifiedOf(job, trans, commands);
      case 'benchmark':
        return {
          message: benchmarkSentence(name, job.benchmark, trans),
          type: 'success',
          options: { ...STAYS, actions: [show(trans, commands)] }
        };
      case 'remove':
        return { message: trans.__('%1 is removed.', name), type: 'success', options: PASSES };
      default:
        return null;
    }
  }

  export function failureOf(job: Job, trans: TranslationBundle, commands: CommandRegistry): INotice {
    const { name, kind, error } = job;
    const headlines: Record<Job['kind'], string> = {
      create: trans.__('%1 was not created.', name),
      rebuild: trans.__('%1 was not rebuilt.', name),
      remove: trans.__('%1 was not removed.', name),
      verify: trans.__('%1 was not verified.', name),
      benchmark: trans.__('%1 has no benchmark.', name),
      edit: trans.__('The packages of %1 were not changed.', name),
      import: trans.__('%1 was not imported.', name),
      clone: trans.__('%1 was not made.', name),
      rename: trans.__('The name %1 was not given.', name),
      pack: trans.__('%1 was not packed.', name),
      adopt: trans.__('%1 was not adopted.', name)
    };
    const { message, cure } = error ? explain(trans, error) : { message: '', cure: '' };
    const said = [headlines[kind], message].filter(Boolean).join(' ');
    return {
      // A cure is read in full or in the panel.
      message: cure && said.length + cure.length < MAX_LENGTH ? `${said} ${cure}` : said,
      type: 'error',
      options: { ...STAYS, actions: [show(trans, commands)] }
    };
  }

  /** A kernel can be used; if it was to see a GPU and does not, that comes first. */
  function readyOf(job: Job, trans: TranslationBundle, commands: CommandRegistry): INotice {
    const { name, verification } = job;
    const actions = [
      action(trans.__('Open notebook'), CommandIDs.openNotebook, { name }, commands, 'accent'),
      // What cannot be done is not offered; whether it can is known now, for the notebook that is open now.
      ...(commands.isEnabled(CommandIDs.useInNotebook, { name })
        ? [action(trans.__('Use in current notebook'), CommandIDs.useInNotebook, { name }, commands)]
        : [])
    ];
    if (verification && verification.outcome !== 'verified') {
      return {
        message: trans.__('%1 is ready, but sees no GPU.', name),
        type: 'warning',
        options: { ...STAYS, actions: [...actions, show(trans, commands)] }
      };
    }
    return { message: trans.__('%1 is ready.', name), type: 'success', options: { ...STAYS, actions } };
  }

  function verifiedOf(job: Job, trans: TranslationBundle, commands: CommandRegistry): INotice {
    const { name, verification } = job;
    switch (verification?.outcome) {
      case 'gpu_not_seen':
        return {
          message: trans.__('%1 works, but sees no GPU.', name),
          type: 'warning',
          options: { ...STAYS, actions: [show(trans, commands)] }
        };
      case 'failed':
        return {
          message: trans.__('%1 does not work.', name),
          type: 'error',
          options: { ...STAYS, actions: [show(trans, commands)] }
        };
      default:
        return { message: trans.__('%1 is verified.', name), type: 'success', options: PASSES };
    }
  }

  function benchmarkSentence(name: string, result: BenchmarkResult | null, trans: TranslationBundle): string {
    const speedups = Object.entries(result?.speedups ?? {});
    if (speedups.length === 0) {
      return trans.__('%1 is measured, on the CPU only.', name);
    }
    const [workload, fastest] = speedups.reduce((best, next) => (next[1] > best[1] ? next : best));
    return trans.__('%1: %2 is %3 times as fast on the GPU.', name, workloadWord(trans, workload), factor(fastest));
  }

  function show(trans: TranslationBundle, commands: CommandRegistry): Notification.IAction {
    return action(trans.__('Show'), CommandIDs.show, {}, commands);
  }

  function action(
    label: string,
    command: string,
    args: Record<string, string>,
    commands: CommandRegistry,
    displayType: Notification.ActionDisplayType = 'default'
  ): Notification.IAction {
    return { label, displayType, callback: () => void commands.execute(command, args) };
  }
}
