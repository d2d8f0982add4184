/**
 * The doctor at work: asks for a diagnosis, does what a finding offers, and looks again when a job has ended.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Diagnosis, IGpuKernels, Remedy } from '../tokens';
import { isJob } from './remedyWord';

/**
 * Holds a diagnosis, and renews it.
 */
export class Examination implements IDisposable {
  /**
   * @param model - Whom to ask.
   * @param subject - Name of the environment to look at besides the machine; empty for all.
   * @param showJobs - Shows the jobs, when one has begun.
   */
  constructor(
    readonly model: IGpuKernels,
    private _subject: string,
    private readonly _showJobs: () => void
  ) {
    // Whatever was done to a kernel may have cured something.
    model.jobEnded.connect(() => void this.look(), this);
  }

  /** Name of the environment that is looked at; empty for all. */
  get subject(): string {
    return this._subject;
  }

  /** What was found last; `null` before. */
  get diagnosis(): Diagnosis | null {
    return this._diagnosis;
  }

  /** Why the last thing that was asked for did not work. */
  get failure(): { reason: unknown } | null {
    return this._failure;
  }

  /** Whether it is being looked at. */
  get isLooking(): boolean {
    return this._looking !== null;
  }

  /** What is being done. */
  get remedy(): Remedy | null {
    return this._remedy;
  }

  /** Emitted after each change of the above. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Look, and wait for what is found.
   *
   * @param subject - Name of the environment to look at from now on; by default as before.
   */
  async look(subject = this._subject): Promise<void> {
    this._looking?.abort();
    if (subject !== this._subject) {
      this._subject = subject;
      this._diagnosis = null;
    }
    const looking = (this._looking = new AbortController());
    this._failure = null;
    this._tell();
    try {
      const diagnosis = await this.model.diagnose(subject, looking.signal);
      if (!looking.signal.aborted) {
        this._diagnosis = diagnosis;
      }
    } catch (reason) {
      if (!looking.signal.aborted) {
        this._failure = { reason };
      }
    }
    if (this._looking === looking) {
      this._looking = null;
      this._tell();
    }
  }

  /** Do what a finding offers, and look again; one thing at a time. */
  async apply(remedy: Remedy): Promise<void> {
    if (this._remedy) {
      return;
    }
    this._remedy = remedy;
    this._failure = null;
    this._tell();
    try {
      const diagnosis = await this.model.apply(remedy);
      if (isJob(remedy)) {
        this._showJobs();
      }
      if (diagnosis.subject === this._subject) {
        this._diagnosis = diagnosis;
      } else {
        await this.look();
      }
    } catch (reason) {
      this._failure = { reason };
    }
    this._remedy = null;
    this._tell();
  }

  /** Give up: nothing that is asked for from now on is shown. */
  dispose(): void {
    this._isDisposed = true;
    this._looking?.abort();
    Signal.clearData(this);
  }

  private _tell(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _diagnosis: Diagnosis | null = null;
  private _failure: { reason: unknown } | null = null;
  private _looking: AbortController | null = null;
  private _remedy: Remedy | null = null;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
