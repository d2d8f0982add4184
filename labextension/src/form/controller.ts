/**
 * The form at work: asks the server what the state needs, and tells the state what came of it.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import { ApiError } from '../request';
import type { IDefaults, IGpuKernels, Job, Spec } from '../tokens';
import type { IFields } from './fields';
import { flawsOf } from './gpuUse';
import { begin, currentSpec, type Action, type IState, primaryAction, reduce } from './state';

/** Milliseconds without a key before a name is checked. */
const PAUSE = 300;

/** Codes of errors that are about the name. */
const NAME_CODES = ['invalid_name', 'name_taken', 'environment_busy'];

/**
 * Holds the state of the form, and changes it.
 */
export class FormController implements IDisposable {
  constructor(options: FormController.IOptions) {
    this._model = options.model;
    this._state = begin(options.defaults, options.preset ?? {});
  }

  /** The model that is asked. */
  get model(): IGpuKernels {
    return this._model;
  }

  /** What the form knows. */
  get state(): IState {
    return this._state;
  }

  /** Emitted after each change of the state, within it: text fields are controlled. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The job, once it has begun. */
  get job(): Job | null {
    return this._job;
  }

  /** Emitted once, when the job has begun. */
  get begun(): ISignal<this, Job> {
    return this._begun;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Give up: nothing that is asked for from now on has a consequence. */
  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._stopChecking();
    this._solving?.abort();
    Signal.clearData(this);
  }

  /** Read what there is to choose from. */
  async load(): Promise<void> {
    void this._model.start();
    try {
      this._do({ type: 'catalogue-read', frameworks: await this._model.frameworks() });
    } catch (reason) {
      this._do({ type: 'catalogue-failed', reason });
      return;
    }
    if (this._state.named) {
      await this._check(this._state.fields.name.trim());
    } else {
      await this._suggest();
    }
  }

  /** Take over what the person has changed. */
  edit(change: Partial<IFields>): void {
    const { framework } = this._state.fields;
    this._do({ type: 'edited', change });
    if (this._state.phase === 'editing') {
      this._solving?.abort();
    }
    if (change.name !== undefined) {
      this._stopChecking();
      const name = change.name.trim();
      if (name) {
        this._timer = setTimeout(() => void this._check(name), PAUSE);
      }
    }
    if (this._state.fields.framework !== framework && !this._state.named) {
      void this._suggest();
    }
  }

  /** Do what the primary button says. */
  async submit(): Promise<void> {
    if (this._state.phase !== 'editing') {
      return;
    }
    if (!this._state.fields.name.trim()) {
      this._do({ type: 'name-missed' });
      return;
    }
    if (flawsOf(this._state.fields).length > 0) {
      // What is wrong is said beside the fields already.
      this._do({ type: 'flawed' });
      return;
    }
    await (primaryAction(this._state) === 'create' ? this._create() : this._preview());
  }

  /** Stop looking for a plan. */
  stop(): void {
    this._solving?.abort();
    this._do({ type: 'stopped' });
  }

  /** Change fields as the answer advises, and ask again. */
  async cure(change: Partial<IFields>): Promise<void> {
    this.edit(change);
    await this.submit();
  }

  /** Let the person say for which machine it shall be built. */
  wantTarget(): void {
    this._do({ type: 'target-wanted' });
  }

  private async _preview(): Promise<void> {
    const spec = currentSpec(this._state);
    const solving = (this._solving = new AbortController());
    this._do({ type: 'solving' });
    try {
      const plan = await this._model.plan(spec, solving.signal);
      if (!solving.signal.aborted) {
        this._do({ type: 'planned', spec, plan });
      }
    } catch (reason) {
      if (!solving.signal.aborted) {
        this._fail(reason);
      }
    }
  }

  private async _create(): Promise<void> {
    this._do({ type: 'creating' });
    let job: Job;
    try {
      job = await this._model.create(currentSpec(this._state));
    } catch (reason) {
      this._fail(reason);
      return;
    }
    if (this._isDisposed) {
      // The person gave up before the server had answered. If this fails, the list of jobs still shows it.
      this._model.cancel(job.id).catch(() => undefined);
      return;
    }
    this._job = job;
    this._begun.emit(job);
  }

  private async _suggest(): Promise<void> {
    const { framework } = this._state.fields;
    try {
      const { name } = await this._model.suggestName(framework);
      this._do({ type: 'name-suggested', framework, name });
    } catch (reason) {
      this._do({ type: 'suggestion-failed', framework, reason });
    }
  }

  private async _check(name: string): Promise<void> {
    const checking = (this._checking = new AbortController());
    try {
      const { problem } = await this._model.checkName(name, checking.signal);
      if (!checking.signal.aborted) {
        this._do({ type: 'name-checked', name, problem: problem ?? null });
      }
    } catch (reason) {
      if (!checking.signal.aborted) {
        this._do({ type: 'check-failed', name, reason });
      }
    }
  }

  private _stopChecking(): void {
    clearTimeout(this._timer);
    this._checking?.abort();
  }

  private _fail(reason: unknown): void {
    const ofName = reason instanceof ApiError && NAME_CODES.includes(reason.report.code);
    this._do({ type: ofName ? 'name-refused' : 'failed', reason });
  }

  private _do(action: Action): void {
    if (this._isDisposed) {
      return;
    }
    const next = reduce(this._state, action);
    if (next !== this._state) {
      this._state = next;
      this._changed.emit();
    }
  }

  private readonly _model: IGpuKernels;
  private _state: IState;
  private _job: Job | null = null;
  private _solving: AbortController | null = null;
  private _checking: AbortController | null = null;
  private _timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _begun = new Signal<this, Job>(this);
}

/**
 * Types of {@link FormController}.
 */
export namespace FormController {
  /**
   * What a form needs.
   */
  export interface IOptions {
    model: IGpuKernels;
    defaults: IDefaults;
    preset?: Partial<Spec>;
  }
}
