/**
 * What the GPUs are doing, read again and again for as long as somebody looks.
 */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';

import type { GpuUsage, IGpuKernels } from './tokens';

/** Milliseconds between two readings. */
const INTERVAL = 2000;

/** Milliseconds between two readings of a server that does not answer. */
const LAST_RETRY = 60_000;

/**
 * Reads the GPUs of a machine that has some, while they are looked at on a page that is seen.
 */
export class LiveUsage implements IDisposable {
  constructor(private readonly _model: IGpuKernels) {
    this._poll = new Poll({
      name: 'jupyter-gpu-kernels:LiveUsage',
      auto: false,
      factory: () => this._read(),
      frequency: { interval: INTERVAL, backoff: true, max: LAST_RETRY },
      linger: 0,
      standby: 'when-hidden'
    });
    // Which GPUs there are is read first.
    _model.changed.connect(this._update, this);
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** What was read last; `null` before. */
  get usage(): GpuUsage | null {
    return this._usage;
  }

  /** Why the last reading failed; `null` after a good one. */
  get error(): Error | null {
    return this._error;
  }

  /** Emitted after each reading. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Set whether somebody looks. */
  set isWatched(value: boolean) {
    this._isWatched = value;
    this._update();
  }

  /** Read now, as something was done that changes it. */
  refresh(): void {
    if (this._isReading) {
      void this._poll.refresh();
    }
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _update(): void {
    const isReading = this._isWatched && (this._model.hardware?.gpus.length ?? 0) > 0;
    if (isReading === this._isReading || this.isDisposed) {
      return;
    }
    this._isReading = isReading;
    // Refused if it was disposed of meanwhile.
    void (isReading ? this._poll.refresh() : this._poll.stop());
  }

  private async _read(): Promise<void> {
    try {
      this._usage = await this._model.gpuUsage();
      this._error = null;
    } catch (reason) {
      this._error = reason instanceof Error ? reason : new Error(String(reason));
      // The poll backs off.
      throw reason;
    } finally {
      if (!this.isDisposed) {
        this._changed.emit();
      }
    }
  }

  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private _isWatched = false;
  private _isReading = false;
  private _usage: GpuUsage | null = null;
  private _error: Error | null = null;
}
