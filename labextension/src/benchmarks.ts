/**
 * Runs the bundled notebook where it was asked for, and keeps what it has measured, whoever runs it.
 */
import { Notification } from '@jupyterlab/apputils';
import { type INotebookTracker, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { ITranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';

import { explain } from './explanation';
import { PendingRuns } from './pendingRuns';
import type { IGpuKernels } from './tokens';

/** What the bundled notebook shows its result as. */
const RESULT_MIME = 'application/vnd.jupyter-gpu-kernels.benchmark+json';

/**
 * Watch the notebooks of a page, for as long as it is open.
 */
export function watchBenchmarks(options: Omit<BenchmarkWatcher.IOptions, 'pendingRuns'> & { baseUrl: string }): void {
  const pendingRuns = new PendingRuns(localStorage, options.baseUrl);
  // eslint-disable-next-line jupyter/require-disposable-ownership -- it lives as long as the page
  new BenchmarkWatcher({ ...options, pendingRuns });
}

/**
 * Watches the notebooks of a page.
 *
 * A result is known by its MIME type and the kernel that it came from: a copy that was renamed, or run again days
 * later, counts as well.
 */
export class BenchmarkWatcher {
  constructor(options: BenchmarkWatcher.IOptions) {
    this._options = options;
    const { tracker } = options;
    tracker.forEach(panel => void this._runIfWished(panel));
    tracker.widgetAdded.connect((_, panel) => void this._runIfWished(panel), this);
    NotebookActions.executed.connect(this._onExecuted, this);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Run a notebook that was opened for that. */
  private async _runIfWished(panel: NotebookPanel): Promise<void> {
    const { pendingRuns, translator } = this._options;
    await panel.context.ready;
    // Where a notebook opens in another browser tab, it has a panel here as well, which nobody ever sees.
    if (!panel.isAttached || !pendingRuns.take(panel.context.path)) {
      return;
    }
    await panel.revealed;
    await panel.sessionContext.ready;
    // Without a kernel JupyterLab has asked for one, and the person has refused.
    if (!panel.isDisposed && !panel.sessionContext.hasNoKernel) {
      await NotebookActions.runAll(panel.content, panel.sessionContext, undefined, translator);
    }
  }

  private _onExecuted(_: unknown, { notebook, cell }: BenchmarkWatcher.IExecuted): void {
    const measured = Private.resultOf(cell);
    if (measured === undefined) {
      return;
    }
    const panel = this._options.tracker.find(({ content }) => content === notebook);
    const kernelName = panel?.sessionContext.session?.kernel?.name;
    if (kernelName) {
      void this._keep(kernelName, measured);
    }
  }

  private async _keep(kernelName: string, measured: unknown): Promise<void> {
    const { model, translator } = this._options;
    const trans = translator.load('jupyter_gpu_kernels');
    try {
      await model.start();
      const environment = model.environments.find(({ kernel_name }) => kernel_name === kernelName);
      // Any kernel can run the notebook; ours have a place for the result.
      if (environment) {
        await model.keepBenchmark(environment.name, measured);
      }
    } catch (reason) {
      const { message } = explain(trans, reason);
      Notification.warning(trans.__('The result of the benchmark was not kept: %1', message), { autoClose: false });
    }
  }

  private readonly _options: BenchmarkWatcher.IOptions;
  private _isDisposed = false;
}

/**
 * Statics of the watcher.
 */
export namespace BenchmarkWatcher {
  /**
   * What is watched, and where results are kept.
   */
  export interface IOptions {
    tracker: INotebookTracker;
    model: IGpuKernels;
    pendingRuns: PendingRuns;
    translator: ITranslator;
  }

  /**
   * A cell that was executed.
   */
  export type IExecuted = Pick<
    Parameters<Parameters<(typeof NotebookActions.executed)['connect']>[0]>[1],
    'notebook' | 'cell'
  >;
}

namespace Private {
  /**
   * The outputs of a cell, as far as they are looked at here.
   */
  interface IOutputs {
    length: number;
    get(index: number): { data: Record<string, unknown> };
  }

  /**
   * What a cell has measured, if it shows that.
   */
  export function resultOf(cell: BenchmarkWatcher.IExecuted['cell']): unknown {
    // Code cells have outputs, the others do not.
    const { outputs } = cell.model as unknown as { outputs?: IOutputs };
    for (let index = 0; index < (outputs?.length ?? 0); index++) {
      const found = outputs?.get(index).data[RESULT_MIME];
      if (found !== undefined) {
        return found;
      }
    }
    return undefined;
  }
}
