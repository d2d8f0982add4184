/**
 * Reading something again and again: never twice at a time, never too often, and anew after a failure.
 */
import { PromiseDelegate } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';

/**
 * Milliseconds until something is read anew after the first failure; twice as many after each further one.
 */
const FIRST_RETRY = 1000;

/**
 * Milliseconds between two readings of a server that has not answered for long.
 */
const LAST_RETRY = 30_000;

/**
 * Something that is read whenever somebody asks for it.
 *
 * However often it is asked for: there is one reading at a time, and one more after it.
 */
export class Reading implements IDisposable {
  constructor(options: Reading.IOptions) {
    this._options = options;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** When the last reading began, in milliseconds since the epoch. */
  get begun(): number {
    return this._begun;
  }

  /**
   * Ask for a reading that begins from now on.
   *
   * @param isUrgent - Whether to begin as soon as no other is under way.
   *
   * @returns A promise that never rejects; it resolves when the reading has ended, well or not.
   */
  ask(isUrgent = false): Promise<void> {
    if (this._isDisposed) {
      return Promise.resolve();
    }
    this._isUrgent ||= isUrgent;
    this._next ??= new PromiseDelegate<void>();
    const { promise } = this._next;
    this._plan();
    return promise;
  }

  dispose(): void {
    this._isDisposed = true;
    clearTimeout(this._timer);
    this._next?.resolve();
    this._next = null;
  }

  /** Begin the next reading, now or when its time has come. */
  private _plan(): void {
    clearTimeout(this._timer);
    if (this._isReading || !this._next) {
      return;
    }
    const retry = this._failures && Math.min(FIRST_RETRY * 2 ** (this._failures - 1), LAST_RETRY);
    const wait = this._isUrgent ? 0 : this._begun + (retry || this._options.pause) - Date.now();
    if (wait <= 0) {
      void this._read(this._next);
    } else {
      this._timer = setTimeout(() => this._plan(), wait);
    }
  }

  private async _read(asked: PromiseDelegate<void>): Promise<void> {
    this._next = null;
    this._isUrgent = false;
    this._isReading = true;
    this._begun = Date.now();
    const isGood = await this._options.read();
    this._isReading = false;
    asked.resolve();
    if (this._isDisposed) {
      return;
    }
    this._failures = isGood ? 0 : this._failures + 1;
    // Nobody waits for a page that is hidden; once it is seen again, somebody asks.
    if (!isGood && !document.hidden) {
      this._next ??= new PromiseDelegate<void>();
    }
    this._plan();
  }

  private readonly _options: Reading.IOptions;
  private _next: PromiseDelegate<void> | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _isUrgent = false;
  private _isReading = false;
  private _isDisposed = false;
  private _failures = 0;
  private _begun = 0;
}

/**
 * A namespace for `Reading` statics.
 */
export namespace Reading {
  /**
   * How something is read.
   */
  export interface IOptions {
    /**
     * Read it.
     *
     * @returns Whether that is enough; `false` to read it anew after a while. It must not reject.
     */
    read: () => Promise<boolean>;
    /** Milliseconds between the beginnings of two readings that are not urgent. */
    pause: number;
  }
}
