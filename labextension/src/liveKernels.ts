/**
 * What is known of the GPU kernels of the server: read at the start, and brought forward by events.
 */
import type { Event, KernelSpec, ServerConnection, ServiceManager } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import * as api from './api';
import { EnvironmentList } from './environmentList';
import { Fallback, Pace } from './fallback';
import { type Asked, JobBook } from './jobBook';
import { JobReadings } from './jobReadings';
import { isFinal, jobEvent, Reread } from './jobStream';
import { ApiError, isAway } from './request';
import { isSame } from './sameness';
import type { Environment, Hardware, Job } from './tokens';

/**
 * The reading half of the model; its documentation is that of `IGpuKernels`.
 */
export class LiveKernels implements IDisposable {
  constructor(options: LiveKernels.IOptions) {
    this.services = options.services;
    this._list = new EnvironmentList(this.services.serverSettings);
    this._fallback = new Fallback({
      read: () => this._readEverything(),
      connectionFailure: this.services.connectionFailure
    });
  }

  get isDisposed(): boolean {
    return this._fallback.isDisposed;
  }

  get isReady(): boolean {
    return this._isReady;
  }

  get environments(): readonly Environment[] {
    return this._list.items;
  }

  get jobs(): readonly Job[] {
    return this._jobs;
  }

  get hardware(): Hardware | null {
    return this._hardware;
  }

  get error(): Error | null {
    return this._error;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get jobEnded(): ISignal<this, Job> {
    return this._jobEnded;
  }

  start(): Promise<void> {
    if (this.isDisposed) {
      return Promise.resolve();
    }
    if (!this._started) {
      this.listen();
      this._started = this._fallback.begin();
    }
    return this._started;
  }

  listen(): void {
    if (!this.isDisposed) {
      this.services.events.stream.connect(this._onEvent, this);
    }
  }

  watch(id: string): IDisposable {
    const watching = this._readings.watch(id);
    if (this._started) {
      this._readings.askIfWatched(id);
    }
    return watching;
  }

  refresh(): Promise<void> {
    this._mayHardwareDiffer = true;
    return this._started ? this._fallback.ask(true) : this.start();
  }

  dispose(): void {
    this._fallback.dispose();
    this._readings.dispose();
    // Ends listening, too.
    Signal.clearData(this);
  }

  protected readonly services: LiveKernels.IServices;

  /** What is known of the jobs now; take it before you ask the server. */
  protected knownJobs(): Asked {
    return this._book.known();
  }

  /** Take a job that the server has answered. */
  protected takeJob(job: Job, asked: Asked): void {
    this._tell(this._book.takeJob(job, asked));
  }

  /** Read a job as soon as possible. */
  protected readJob(id: string): void {
    this._readings.ask(id, true);
  }

  /** Read the environments and the kernelspecs, after something was done to them; never rejects. */
  protected async readKernels(): Promise<void> {
    const [read] = await Promise.allSettled([this._list.read(), this.services.kernelspecs.refreshSpecs()]);
    if (read.status === 'rejected') {
      this._fail(read.reason);
    } else {
      this._update();
    }
  }

  /** Read all but the logs; answers what went wrong. */
  private async _readEverything(): Promise<Error | null> {
    const asked = this._book.known();
    const { serverSettings } = this.services;
    const [environments, hardware, jobs] = await Promise.allSettled([
      this._list.read(),
      this._mayHardwareDiffer ? api.hardware(serverSettings) : this._hardware,
      api.jobs(serverSettings)
    ]);
    if (this.isDisposed) {
      return null;
    }
    if (hardware.status === 'fulfilled') {
      this._mayHardwareDiffer = false;
      this._hardware = isSame(this._hardware, hardware.value) ? this._hardware : hardware.value;
    }
    const ended = jobs.status === 'fulfilled' ? this._book.takeList(jobs.value, asked) : [];
    const failed = [environments, hardware, jobs].find(answer => answer.status === 'rejected');
    this._error = failed ? Private.toError(failed.reason) : null;
    this._isReady ||= this._list.isRead && jobs.status === 'fulfilled';
    if (isAway(this._error)) {
      // It may come back as another process, on another machine.
      this._mayHardwareDiffer = true;
      this._mayMissEvents = true;
    } else {
      this._readings.askWatched();
    }
    this._tell(ended);
    return this._error;
  }

  /** Read a job with its log; answers whether it has ended. */
  private async _readJob(id: string): Promise<boolean> {
    const asked = this._book.known();
    try {
      const job = await api.job(id, this.services.serverSettings);
      this.takeJob(job, asked);
      return isFinal(job);
    } catch (reason) {
      const isGone = reason instanceof ApiError && reason.report.code === 'not_found';
      if (isGone) {
        this._book.forget(id);
        this._update();
      } else {
        this._fail(reason);
      }
      return isGone;
    }
  }

  private _onEvent(_: unknown, emission: Event.Emission): void {
    const event = jobEvent(emission);
    if (!event) {
      return;
    }
    this._mayMissEvents = false;
    const reread = this._book.takeEvent(event);
    if (!this._started) {
      // All jobs are read now, so this one is.
      void this.start();
      return;
    }
    this._update();
    if (isAway(this._error)) {
      // It is back.
      void this._fallback.ask(true);
    }
    switch (reread) {
      case Reread.Now:
        return this._readings.ask(event.id, true);
      case Reread.Soon:
        return this._readings.ask(event.id);
      case Reread.Never:
        return this._readings.askIfWatched(event.id);
    }
  }

  private _fail(reason: unknown): void {
    this._error = Private.toError(reason);
    this._update();
    if (isAway(reason)) {
      this._mayMissEvents = true;
      void this._fallback.ask();
    }
  }

  /** Show what is known, then tell which jobs have ended: once their kernels can be used. */
  private _tell(ended: readonly Job[]): void {
    if (this.isDisposed) {
      return;
    }
    this._update();
    ended.forEach(job => void this.readKernels().then(() => this._jobEnded.emit(job)));
  }

  /** Tell what has changed, and poll as often as what is going on deserves. */
  private _update(): void {
    if (this.isDisposed) {
      return;
    }
    this._jobs = this._book.jobs;
    const shown = [this._list.items, this._jobs, this._hardware, this._error, this._isReady];
    if (shown.some((part, index) => part !== this._shown[index])) {
      this._shown = shown;
      this._changed.emit();
    }
    const busy = this._mayMissEvents ? Pace.Deaf : Pace.Busy;
    this._fallback.pace = this._book.isBusy ? busy : Pace.Resting;
  }

  private readonly _fallback: Fallback;
  private readonly _list: EnvironmentList;
  private readonly _book = new JobBook();
  private readonly _readings = new JobReadings(id => this._readJob(id));
  private _started: Promise<void> | null = null;
  private _jobs: readonly Job[] = [];
  private _hardware: Hardware | null = null;
  private _mayHardwareDiffer = true;
  /** Whether the server was away: the event stream comes back later than the rest, and does not say when. */
  private _mayMissEvents = false;
  private _error: Error | null = null;
  private _isReady = false;
  /** What was told last. */
  private _shown: readonly unknown[] = [];
  private readonly _changed = new Signal<this, void>(this);
  private readonly _jobEnded = new Signal<this, Job>(this);
}

/**
 * A namespace for `LiveKernels` statics.
 */
export namespace LiveKernels {
  /**
   * What is needed of JupyterLab's services; its service manager has it all.
   */
  export interface IServices {
    readonly connectionFailure: ServiceManager.IManager['connectionFailure'];
    readonly events: Pick<Event.IManager, 'stream'>;
    readonly kernelspecs: Pick<KernelSpec.IManager, 'refreshSpecs'>;
    readonly serverSettings: ServerConnection.ISettings;
  }

  /**
   * What a model is made with.
   */
  export interface IOptions {
    services: IServices;
  }
}

namespace Private {
  export function toError(reason: unknown): Error {
    return reason instanceof Error ? reason : new Error(String(reason));
  }
}
