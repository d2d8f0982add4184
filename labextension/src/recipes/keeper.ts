/**
 * Writes into a notebook how its kernel is made, whenever that is one of ours.
 *
 * A notebook that is only looked at is never changed: what is to be written waits until something else is saved.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import { JSONExt, type PartialJSONValue } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { IGpuKernels, Job } from '../tokens';
import { environmentOf, KEY } from './carried';

/** Milliseconds until a recipe is asked for anew after a notebook was saved. */
const AGE = 60_000;

/**
 * Keeps the recipe of one notebook.
 */
export class RecipeKeeper implements IDisposable {
  constructor(options: RecipeKeeper.IOptions) {
    this._options = options;
    const { panel, model } = options;
    panel.sessionContext.kernelChanged.connect(this._onKernelChanged, this);
    panel.sessionContext.statusChanged.connect(this._onStatusChanged, this);
    panel.context.saveState.connect(this._onSaveState, this);
    model.jobEnded.connect(this._onJobEnded, this);
    panel.disposed.connect(this.dispose, this);
    void this.refresh();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /**
   * Whether what the notebook carries stays as it is, whichever kernel it has: as long as that is offered to be built.
   */
  get isHeld(): boolean {
    return this._isHeld;
  }
  set isHeld(value: boolean) {
    this._isHeld = value;
    void this.refresh();
  }

  /**
   * Read how the notebook's kernel is made now. It never rejects: a notebook without a recipe is a notebook.
   */
  async refresh(): Promise<void> {
    const turn = ++this._turn;
    const environment = this._environment;
    if (this._known?.environment !== environment) {
      this._known = null;
    }
    if (!environment || this._isHeld) {
      return;
    }
    this._read = Date.now();
    try {
      const recipe = await this._options.model.ask<PartialJSONValue>(['environments', environment, 'recipe']);
      if (turn === this._turn && !this._isDisposed) {
        this._known = { environment, recipe };
        const { model } = this._options.panel.context;
        // Where several work on it, it is saved by the server.
        if (model.dirty || model.collaborative) {
          this._write();
        }
      }
    } catch {
      // An adopted kernel has none, and a server that does not answer is asked again.
    }
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** The environment of the notebook's kernel, if it is one of ours; empty otherwise. */
  private get _environment(): string {
    const { panel, kernelspecs } = this._options;
    return environmentOf(kernelspecs.specs, panel.sessionContext.session?.kernel?.name ?? '');
  }

  private _write(): void {
    const { panel, isWanted } = this._options;
    const { model, contentsModel } = panel.context;
    const isWritable = !model.readOnly && contentsModel?.writable !== false;
    if (this._known === null || this._isHeld || !isWritable || !isWanted()) {
      return;
    }
    const carried = (model.getMetadata(KEY) ?? null) as PartialJSONValue;
    if (!JSONExt.deepEqual(carried, this._known.recipe)) {
      model.setMetadata(KEY, this._known.recipe);
    }
  }

  private _onKernelChanged(): void {
    void this.refresh();
  }

  private _onStatusChanged(_: unknown, status: string): void {
    // What was built anew is used from now on.
    if (status === 'restarting') {
      void this.refresh();
    }
  }

  private _onJobEnded(_: unknown, job: Job): void {
    if (job.name === this._environment) {
      void this.refresh();
    }
  }

  private _onSaveState(_: unknown, state: string): void {
    if (state === 'started') {
      // What is saved is made of the model after this.
      this._write();
    } else if (state === 'completed' && Date.now() - this._read > AGE) {
      void this.refresh();
    }
  }

  private readonly _options: RecipeKeeper.IOptions;
  private _known: { environment: string; recipe: PartialJSONValue } | null = null;
  private _isHeld = false;
  private _isDisposed = false;
  private _turn = 0;
  private _read = 0;
}

/**
 * Statics of the keeper.
 */
export namespace RecipeKeeper {
  /**
   * The notebook, and where its recipe comes from.
   */
  export interface IOptions {
    panel: NotebookPanel;
    model: IGpuKernels;
    kernelspecs: Pick<KernelSpec.IManager, 'specs'>;
    /** Whether the person wants notebooks to carry their kernels. */
    isWanted: () => boolean;
  }
}
