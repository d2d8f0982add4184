/**
 * When everything is read anew though no event asked for it: slowly while the page is seen, at once when the page or
 * the server comes back.
 */
import type { ServiceManager } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';

import { Reading } from './reading';
import { isAway } from './request';

/**
 * How often everything is read anew.
 */
export enum Pace {
  /** Nothing is going on. */
  Resting = 120_000,
  /** A job is at work, and events tell of it. */
  Busy = 30_000,
  /** A job is at work, but events may not arrive. */
  Deaf = 5_000
}

/**
 * Reads everything when nobody else does.
 */
export class Fallback implements IDisposable {
  constructor(options: Fallback.IOptions) {
    const { connectionFailure, read } = options;
    this._connectionFailure = connectionFailure;
    this._reading = new Reading({
      read: async () => {
        this._error = await read();
        return !isAway(this._error);
      },
      pause: Private.PAUSE
    });
    this._poll = new Poll({
      name: 'jupyter-gpu-kernels:Fallback',
      auto: false,
      factory: () => this._readBySchedule(),
      frequency: Private.frequency(this._pace),
      linger: 0,
      standby: 'when-hidden'
    });
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Begin; resolves when everything was read for the first time, well or not. */
  async begin(): Promise<void> {
    this._connectionFailure.connect(this._onReturn, this);
    document.addEventListener('visibilitychange', this._onReturn);
    // The events that this page has missed while it was off line are not sent again.
    window.addEventListener('online', this._onReturn);
    await this._reading.ask(true);
    void this._poll.schedule({ phase: 'resolved' });
  }

  /**
   * Ask for everything.
   *
   * @param isUrgent - Whether to begin at once; otherwise some seconds after the last time.
   *
   * @returns A promise that resolves when everything was read, well or not.
   */
  ask(isUrgent = false): Promise<void> {
    return this._reading.ask(isUrgent);
  }

  /** Set how often everything is read. */
  set pace(pace: Pace) {
    if (this.isDisposed || pace === this._pace) {
      return;
    }
    this._pace = pace;
    this._poll.frequency = Private.frequency(pace);
    if (this._poll.state.phase !== 'constructed') {
      // Else the new pace would begin after the next reading only.
      void this._poll.schedule({ phase: 'resolved' });
    }
  }

  dispose(): void {
    this._poll.dispose();
    this._reading.dispose();
    document.removeEventListener('visibilitychange', this._onReturn);
    window.removeEventListener('online', this._onReturn);
    Signal.clearData(this);
  }

  private async _readBySchedule(): Promise<void> {
    await this._reading.ask(true);
    if (this._error) {
      // The poll backs off.
      throw this._error;
    }
  }

  /** The page is seen again, or back on line; or the server was away, and is asked for until it is back. */
  private readonly _onReturn = (): void => {
    if (!document.hidden) {
      void this._reading.ask();
    }
  };

  private readonly _connectionFailure: ServiceManager.IManager['connectionFailure'];
  private readonly _reading: Reading;
  private readonly _poll: Poll<void, Error>;
  private _pace = Pace.Resting;
  private _error: Error | null = null;
}

/**
 * A namespace for `Fallback` statics.
 */
export namespace Fallback {
  /**
   * What is read, and who says that the server is away.
   */
  export interface IOptions {
    /** Read everything; answers why that failed. It must not reject. */
    read: () => Promise<Error | null>;
    connectionFailure: ServiceManager.IManager['connectionFailure'];
  }
}

namespace Private {
  /** Milliseconds between two readings of everything that nobody is in a hurry for. */
  export const PAUSE = 5000;

  export function frequency(interval: Pace): Poll<void, Error>['frequency'] {
    return { interval, backoff: true, max: 300_000 };
  }
}
