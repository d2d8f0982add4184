/**
 * Which job is read when: those that events ask for, and those that somebody watches.
 */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';

import { Reading } from './reading';

/**
 * Milliseconds between two readings of a job of which only the log has changed.
 */
const PAUSE = 500;

/**
 * Reads jobs, each one neither twice at a time nor too often.
 */
export class JobReadings implements IDisposable {
  /**
   * @param _read - Reads a job; answers whether there is nothing more to read, ever. It must not reject.
   */
  constructor(private readonly _read: (id: string) => Promise<boolean>) {}

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Count somebody who watches a job. */
  watch(id: string): IDisposable {
    this._watchers.set(id, this._watching(id) + 1);
    return new DisposableDelegate(() => {
      const left = this._watching(id) - 1;
      if (left > 0) {
        this._watchers.set(id, left);
      } else {
        this._watchers.delete(id);
      }
    });
  }

  /** Ask for a job if somebody sees its log, and it was not read to its end. */
  askIfWatched(id: string): void {
    if (this._watching(id) && !this._finished.has(id) && !document.hidden) {
      this.ask(id);
    }
  }

  /** Ask for all jobs of which somebody sees the log. */
  askWatched(): void {
    [...this._watchers.keys()].forEach(id => this.askIfWatched(id));
  }

  /**
   * Ask for a job.
   *
   * @param isUrgent - Whether to read it at once; otherwise some time after the last one.
   */
  ask(id: string, isUrgent = false): void {
    if (this._isDisposed) {
      return;
    }
    this._finished.delete(id);
    if (!this._readings.has(id)) {
      this._readings.set(id, new Reading({ read: () => this._readOnce(id), pause: PAUSE }));
    }
    void this._readings.get(id)?.ask(isUrgent);
  }

  dispose(): void {
    this._isDisposed = true;
    this._readings.forEach(reading => reading.dispose());
    this._readings.clear();
    this._watchers.clear();
  }

  private async _readOnce(id: string): Promise<boolean> {
    if (await this._read(id)) {
      this._finished.add(id);
    }
    // Enough also where it failed: all is read anew once the server is back.
    return true;
  }

  private _watching(id: string): number {
    return this._watchers.get(id) ?? 0;
  }

  private readonly _watchers = new Map<string, number>();
  private readonly _readings = new Map<string, Reading>();
  /** Those that have ended and were read since. */
  private readonly _finished = new Set<string>();
  private _isDisposed = false;
}
