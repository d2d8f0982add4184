/**
 * What is offered for a notebook whose kernel is missing here, and what came of it; nothing is built before it is asked for.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Environment, IGpuKernels, Job } from '../tokens';
import { type ICarried, minorOf } from './carried';

/**
 * The offer of one notebook, until it is taken or declined.
 */
export class KernelOffer implements IDisposable {
  constructor(options: KernelOffer.IOptions) {
    this._options = options;
    const { panel, model, kernelspecs } = options;
    model.changed.connect(this._onModelChanged, this);
    model.jobEnded.connect(this._onJobEnded, this);
    kernelspecs.specsChanged.connect(this._onKernelsChanged, this);
    panel.sessionContext.kernelChanged.connect(this._onKernelsChanged, this);
    void model.start();
  }

  /** What the notebook carries. */
  get carried(): ICarried {
    return this._options.carried;
  }

  /** The job that builds the kernel, or has built it last. */
  get job(): Job | null {
    const { jobs } = this._options.model;
    const { kernelName } = this.carried;
    // One that was begun before the page was loaded again is known by its name.
    const isSame = (job: Job): boolean =>
      this._job ? job.id === this._job : job.name.toLowerCase() === kernelName && isMaking(job);
    return jobs.find(isSame) ?? null;
  }

  /** Whether the kernel has come meanwhile, from elsewhere. */
  get isHere(): boolean {
    return this.carried.kernelName in (this._options.kernelspecs.specs?.kernelspecs ?? {});
  }

  /** A kernel that is here already and has the same framework in the same version; `null` if there is none. */
  get instead(): Environment | null {
    const { framework, version } = this.carried;
    const isAlike = (environment: Environment): boolean =>
      environment.registered &&
      !environment.damaged &&
      Boolean(version) &&
      environment.framework === framework &&
      minorOf(environment.framework_version) === minorOf(version);
    return this._options.model.environments.find(isAlike) ?? null;
  }

  /** Why the last thing that was tried did not work; `null` if it did. */
  get failure(): { reason: unknown } | null {
    return this._failure;
  }

  /** Emitted after each change of the above. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when there is nothing more to offer: with whether the notebook has another kernel now. */
  get settled(): ISignal<this, boolean> {
    return this._settled;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Ask what would be built, and build it if that is wished. */
  async build(): Promise<void> {
    await this._try(async () => {
      const answer = await this._options.ask(this.carried);
      if (typeof answer === 'string') {
        await this.use(answer.toLowerCase());
      } else {
        this._job = answer?.id ?? this._job;
      }
    });
  }

  /** Give the notebook a kernel. */
  async use(kernelName: string): Promise<void> {
    await this._try(async () => {
      const { panel, kernelspecs } = this._options;
      if (!kernelspecs.specs?.kernelspecs[kernelName]) {
        await kernelspecs.refreshSpecs();
      }
      await panel.sessionContext.changeKernel({ name: kernelName });
      this._settled.emit(true);
    });
  }

  /** Stop the build. */
  async cancel(): Promise<void> {
    const { job } = this;
    await this._try(async () => {
      if (job) {
        await this._options.model.cancel(job.id);
      }
      this._job = null;
    });
  }

  /** Decline. */
  dismiss(): void {
    this._settled.emit(false);
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private async _try(action: () => Promise<void>): Promise<void> {
    this._failure = null;
    try {
      await action();
    } catch (reason) {
      this._failure = { reason };
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _onModelChanged(): void {
    // A build that began elsewhere is this notebook's, too.
    this._job ??= this.job?.id ?? null;
    this._changed.emit();
  }

  private _onJobEnded(_: unknown, job: Job): void {
    if (job.id !== this._job) {
      return;
    }
    if (job.state === 'succeeded') {
      void this.use(job.name.toLowerCase());
    } else if (job.state === 'cancelled') {
      this._job = null;
      this._changed.emit();
    }
  }

  private _onKernelsChanged(): void {
    // Somebody has chosen it in another way.
    if (this._options.panel.sessionContext.session?.kernel?.name === this.carried.kernelName) {
      this._settled.emit(true);
    } else {
      this._changed.emit();
    }
  }

  private readonly _options: KernelOffer.IOptions;
  private _job: string | null = null;
  private _failure: { reason: unknown } | null = null;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _settled = new Signal<this, boolean>(this);
}

/** Whether a job is at work on an environment that is there after it. */
export function isMaking({ kind, state }: Job): boolean {
  return (kind === 'create' || kind === 'import') && (state === 'queued' || state === 'running');
}

/**
 * Statics of the offer.
 */
export namespace KernelOffer {
  /**
   * What is offered, and to whom.
   */
  export interface IOptions {
    carried: ICarried;
    panel: NotebookPanel;
    model: IGpuKernels;
    kernelspecs: Pick<KernelSpec.IManager, 'specs' | 'specsChanged' | 'refreshSpecs'>;
    /**
     * Show what would be built here; answers with the job once that has begun, or with the name of an environment that
     * is to be used instead, or with `null` for neither.
     */
    ask: (carried: ICarried) => Promise<Job | string | null>;
  }
}
