/**
 * The packages of an environment at work: what there is, what shall change, and what that would do.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { EditPlan, Environment, IGpuKernels, InstalledPackage, Job, PackageEdit } from '../tokens';
import { applyEdit, installedPackages, previewEdit } from './api';
import { isEmpty, type IWish, NOTHING, withoutWish, withWish } from './edit';

/**
 * Reads the packages, and previews each change of what is wished.
 */
export class PackageDesk implements IDisposable {
  /**
   * @param model - Whom to ask.
   * @param name - Name of the environment.
   * @param edit - What is wished from the beginning.
   */
  constructor(
    readonly model: IGpuKernels,
    readonly name: string,
    edit: PackageEdit = NOTHING
  ) {
    this._edit = edit;
    // Whatever was done to the environment may have changed what is in it.
    model.jobEnded.connect(this._onJobEnded, this);
  }

  /** The packages, by name; `null` while they are not known. */
  get installed(): readonly InstalledPackage[] | null {
    return this._installed;
  }

  /** Why the packages could not be read. */
  get readFailure(): { reason: unknown } | null {
    return this._readFailure;
  }

  /** Whether they are being read. */
  get isReading(): boolean {
    return this._reading !== null;
  }

  /** What is wished. */
  get edit(): PackageEdit {
    return this._edit;
  }

  /** What that would do; `null` while it is not known. */
  get plan(): EditPlan | null {
    return this._plan;
  }

  /** Why there is no plan, or why it could not be applied. */
  get failure(): { reason: unknown } | null {
    return this._failure;
  }

  /** Whether a plan is being looked for. */
  get isPlanning(): boolean {
    return this._planning !== null;
  }

  /** Whether the server is asked to apply what is wished. */
  get isApplying(): boolean {
    return this._isApplying;
  }

  /** The environment, as far as it is known. */
  get environment(): Environment | undefined {
    return this.model.environments.find(({ name }) => name === this.name);
  }

  /** Emitted after each change of the above. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Read the packages. */
  async read(): Promise<void> {
    this._reading?.abort();
    const reading = (this._reading = new AbortController());
    this._readFailure = null;
    this._tell();
    try {
      const installed = await installedPackages(this.model, this.name, reading.signal);
      if (!reading.signal.aborted) {
        this._installed = installed;
      }
    } catch (reason) {
      if (!reading.signal.aborted) {
        this._readFailure = { reason };
      }
    }
    if (this._reading === reading) {
      this._reading = null;
      this._tell();
    }
  }

  /** Wish something more, and see what that does. */
  wish(wish: IWish): Promise<void> {
    return this.change(withWish(this._edit, wish));
  }

  /** Wish something no longer. */
  unwish(wish: IWish): Promise<void> {
    return this.change(withoutWish(this._edit, wish));
  }

  /** Wish this and nothing else, and see what it does. */
  async change(edit: PackageEdit): Promise<void> {
    this._planning?.abort();
    this._planning = null;
    this._edit = edit;
    this._plan = null;
    this._failure = null;
    if (isEmpty(edit)) {
      this._tell();
      return;
    }
    const planning = (this._planning = new AbortController());
    this._tell();
    try {
      const plan = await previewEdit(this.model, this.name, edit, planning.signal);
      if (!planning.signal.aborted) {
        this._plan = plan;
      }
    } catch (reason) {
      if (!planning.signal.aborted) {
        this._failure = { reason };
      }
    }
    if (this._planning === planning) {
      this._planning = null;
      this._tell();
    }
  }

  /** Do what is wished; its job is among the model's. */
  async apply(): Promise<void> {
    if (this._isApplying || !this._plan || this._plan.plan.refusal) {
      return;
    }
    this._isApplying = true;
    this._failure = null;
    this._tell();
    try {
      await applyEdit(this.model, this.name, this._edit);
      this._edit = NOTHING;
      this._plan = null;
    } catch (reason) {
      this._failure = { reason };
    }
    this._isApplying = false;
    this._tell();
  }

  /** Give up: nothing that is asked for from now on is shown. */
  dispose(): void {
    this._isDisposed = true;
    this._reading?.abort();
    this._planning?.abort();
    Signal.clearData(this);
  }

  private _onJobEnded(_: IGpuKernels, job: Job): void {
    if (job.name === this.name) {
      void this.read();
      if (!isEmpty(this._edit)) {
        // What was previewed was another environment.
        void this.change(this._edit);
      }
    }
  }

  private _tell(): void {
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _installed: readonly InstalledPackage[] | null = null;
  private _readFailure: { reason: unknown } | null = null;
  private _reading: AbortController | null = null;
  private _edit: PackageEdit;
  private _plan: EditPlan | null = null;
  private _failure: { reason: unknown } | null = null;
  private _planning: AbortController | null = null;
  private _isApplying = false;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
