/**
 * A model without a server, for tests of what shows it.
 */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';

import type { IRequest } from '../request';
import type {
  Diagnosis,
  DiskUsage,
  Environment,
  EnvironmentChange,
  Framework,
  GpuUsage,
  Hardware,
  IGpuKernels,
  Job,
  NameCheck,
  Plan,
  Remedy,
  Spec
} from '../tokens';
import { aDiagnosis, aFramework, aJob, aPlan, aProgress, aSpec, aUsage, hardware } from './samples';

/** A call of a method that does something, or asks. */
export interface ICall {
  method: string;
  args: readonly unknown[];
}

/**
 * A model that answers from memory, notes what it is asked, and shows what it is told.
 *
 * Set `environments`, `jobs`, `hardware` or `error` and `changed` is emitted; `end(job)` ends one. What a method
 * answers is in `answers`; put a rejecting function there to see what a refusal looks like.
 */
export class FakeGpuKernels implements IGpuKernels {
  readonly calls: ICall[] = [];

  /** What the methods answer; replace what a test is about. */
  readonly answers = {
    frameworks: (): Promise<readonly Framework[]> => Promise.resolve([aFramework()]),
    suggestName: (framework: string): Promise<NameCheck> => Promise.resolve({ name: `${framework}-1`, problem: null }),
    checkName: (name: string, _signal: AbortSignal): Promise<NameCheck> => Promise.resolve({ name, problem: null }),
    plan: (spec: Spec, _signal: AbortSignal): Promise<Plan> => Promise.resolve(aPlan({ spec: aSpec(spec) })),
    job: (job: Job): Promise<Job> => Promise.resolve(job),
    diskUsage: (_name: string): Promise<DiskUsage> => Promise.resolve({ bytes: 3e9, freed_bytes: 2e9 }),
    benchmarkNotebook: (_name: string): Promise<unknown> =>
      Promise.resolve({ cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 }),
    gpuUsage: (): Promise<GpuUsage> => Promise.resolve(aUsage()),
    diagnose: (name: string, _signal: AbortSignal): Promise<Diagnosis> =>
      Promise.resolve(aDiagnosis({ subject: name })),
    apply: (_remedy: Remedy): Promise<Diagnosis> => Promise.resolve(aDiagnosis()),
    /** What is asked for as `GET packages`, with its options. */
    ask: (_what: string, _options: IRequest): Promise<unknown> => Promise.reject(new Error('nobody asks')),
    done: (): Promise<void> => Promise.resolve()
  };

  isReady = true;

  get environments(): readonly Environment[] {
    return this._environments;
  }
  set environments(value: readonly Environment[]) {
    this._environments = value;
    this._changed.emit();
  }

  get jobs(): readonly Job[] {
    return this._jobs;
  }
  set jobs(value: readonly Job[]) {
    this._jobs = value;
    this._changed.emit();
  }

  get hardware(): Hardware | null {
    return this._hardware;
  }
  set hardware(value: Hardware | null) {
    this._hardware = value;
    this._changed.emit();
  }

  get error(): Error | null {
    return this._error;
  }
  set error(value: Error | null) {
    this._error = value;
    this._changed.emit();
  }

  get changed(): ISignal<IGpuKernels, void> {
    return this._changed;
  }

  get jobEnded(): ISignal<IGpuKernels, Job> {
    return this._jobEnded;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** The jobs that somebody watches. */
  get watched(): string[] {
    return [...this._watched];
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Show a job as it ended, and tell it. */
  end(job: Job): void {
    this.jobs = [job, ...this._jobs.filter(({ id }) => id !== job.id)];
    this._jobEnded.emit(job);
  }

  start(): Promise<void> {
    this.calls.push({ method: 'start', args: [] });
    return Promise.resolve();
  }

  listen(): void {
    this.calls.push({ method: 'listen', args: [] });
  }

  watch(id: string): IDisposable {
    this._watched.push(id);
    return new DisposableDelegate(() => {
      this._watched.splice(this._watched.indexOf(id), 1);
    });
  }

  refresh(): Promise<void> {
    this.calls.push({ method: 'refresh', args: [] });
    return this.answers.done();
  }

  frameworks(): Promise<readonly Framework[]> {
    this.calls.push({ method: 'frameworks', args: [] });
    return this.answers.frameworks();
  }

  logoUrl(framework: string): string {
    return `/jupyter-gpu-kernels/frameworks/${framework}/logo`;
  }

  suggestName(framework: string): Promise<NameCheck> {
    this.calls.push({ method: 'suggestName', args: [framework] });
    return this.answers.suggestName(framework);
  }

  checkName(name: string, signal: AbortSignal): Promise<NameCheck> {
    this.calls.push({ method: 'checkName', args: [name] });
    return this.answers.checkName(name, signal);
  }

  plan(spec: Spec, signal: AbortSignal): Promise<Plan> {
    this.calls.push({ method: 'plan', args: [spec] });
    return this.answers.plan(spec, signal);
  }

  create(spec: Spec): Promise<Job> {
    this.calls.push({ method: 'create', args: [spec] });
    return this._begin(aJob({ kind: 'create', name: spec.name, spec: aSpec(spec) }));
  }

  verify(name: string): Promise<Job> {
    this.calls.push({ method: 'verify', args: [name] });
    return this._begin(aJob({ kind: 'verify', name, spec: null }));
  }

  rebuild(name: string): Promise<Job> {
    this.calls.push({ method: 'rebuild', args: [name] });
    return this._begin(aJob({ kind: 'rebuild', name }));
  }

  remove(name: string, stopKernels: boolean): Promise<Job> {
    this.calls.push({ method: 'remove', args: [name, stopKernels] });
    return this._begin(aJob({ kind: 'remove', name, spec: null }));
  }

  change(name: string, wishes: EnvironmentChange): Promise<void> {
    this.calls.push({ method: 'change', args: [name, wishes] });
    return this.answers.done();
  }

  diskUsage(name: string): Promise<DiskUsage> {
    this.calls.push({ method: 'diskUsage', args: [name] });
    return this.answers.diskUsage(name);
  }

  benchmarkNotebook(name: string): Promise<unknown> {
    this.calls.push({ method: 'benchmarkNotebook', args: [name] });
    return this.answers.benchmarkNotebook(name);
  }

  keepBenchmark(name: string, measured: unknown): Promise<void> {
    this.calls.push({ method: 'keepBenchmark', args: [name, measured] });
    return this.answers.done();
  }

  gpuUsage(): Promise<GpuUsage> {
    this.calls.push({ method: 'gpuUsage', args: [] });
    return this.answers.gpuUsage();
  }

  diagnose(name: string, signal: AbortSignal): Promise<Diagnosis> {
    this.calls.push({ method: 'diagnose', args: [name] });
    return this.answers.diagnose(name, signal);
  }

  apply(remedy: Remedy): Promise<Diagnosis> {
    this.calls.push({ method: 'apply', args: [remedy] });
    return this.answers.apply(remedy);
  }

  ask<T>(path: readonly string[], options: IRequest = {}): Promise<T> {
    const what = `${options.method ?? 'GET'} ${path.join('/')}`;
    this.calls.push({ method: what, args: [options.body ?? options.query] });
    return this.answers.ask(what, options) as Promise<T>;
  }

  async begin(path: readonly string[], options: IRequest): Promise<Job> {
    return this._begin(await this.ask<Job>(path, options));
  }

  cancel(id: string): Promise<void> {
    this.calls.push({ method: 'cancel', args: [id] });
    return this.answers.done();
  }

  logUrl(id: string): string {
    return `/jupyter-gpu-kernels/jobs/${id}/log`;
  }

  private async _begin(job: Job): Promise<Job> {
    const begun = await this.answers.job({
      ...job,
      id: `job-${this._jobs.length + 1}`,
      state: 'queued',
      stage: null,
      revision: 0,
      progress: aProgress()
    });
    this.jobs = [begun, ...this._jobs];
    return begun;
  }

  private _environments: readonly Environment[] = [];
  private _jobs: readonly Job[] = [];
  private _hardware: Hardware | null = hardware();
  private _error: Error | null = null;
  private _isDisposed = false;
  private readonly _watched: string[] = [];
  private readonly _changed = new Signal<IGpuKernels, void>(this);
  private readonly _jobEnded = new Signal<IGpuKernels, Job>(this);
}
