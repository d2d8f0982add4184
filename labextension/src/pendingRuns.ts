/**
 * Notebooks that are to run as soon as they are open, in whichever page that is.
 *
 * In Notebook 7 a notebook opens in a browser tab of its own, so the wish must outlive this page; in a notebook's
 * metadata it would be anybody's to write.
 */

/** A notebook that did not open meanwhile will not be run by surprise. */
const EXPIRY_MS = 60_000;

/**
 * The wishes, in the storage that the tabs of a browser share.
 */
export class PendingRuns {
  /**
   * @param baseUrl - Tells servers of one host apart.
   */
  constructor(
    private readonly _storage: Storage,
    private readonly _baseUrl: string
  ) {}

  /** Wish that a notebook be run when it opens. */
  add(path: string): void {
    this._storage.setItem(this._key(path), String(Date.now()));
  }

  /** Whether a notebook is to be run; it is not the next time. */
  take(path: string): boolean {
    const key = this._key(path);
    const since = Number(this._storage.getItem(key) ?? NaN);
    this._storage.removeItem(key);
    return Date.now() - since < EXPIRY_MS;
  }

  private _key(path: string): string {
    return `jupyter-gpu-kernels:run:${this._baseUrl}:${path}`;
  }
}
