/**
 * The environments as they were read last.
 */
import type { ServerConnection } from '@jupyterlab/services';

import * as api from './api';
import { keepUnchanged } from './sameness';
import type { Environment } from './tokens';

/**
 * Reads the environments; several readings may be under way.
 */
export class EnvironmentList {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /** By name; the same array as long as nothing has changed. */
  get items(): readonly Environment[] {
    return this._items;
  }

  /** Whether they were read. */
  get isRead(): boolean {
    return this._taken > 0;
  }

  /**
   * Read them.
   *
   * @throws ApiError - The server refused, or could not be reached.
   */
  async read(): Promise<void> {
    const turn = ++this._asked;
    const answer = await api.environments(this._settings);
    // An answer that was overtaken by a later one is old.
    if (turn > this._taken) {
      this._taken = turn;
      this._items = keepUnchanged(this._items, answer, environment => environment.name);
    }
  }

  private _items: readonly Environment[] = [];
  private _asked = 0;
  private _taken = 0;
}
