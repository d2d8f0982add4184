/**
 * Tokens and types; no code but the token itself.
 */
import { Token } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';

import type { IRequest } from './request';
import type { components } from './schema';

type Schemas = components['schemas'];

export type AdoptionRequest = Schemas['AdoptionRequest'];
export type BenchmarkResult = Schemas['BenchmarkResult'];
export type ChannelsReport = Schemas['ChannelsReport'];
export type ConfiguredValue = Schemas['ConfiguredValue'];
export type Diagnosis = Schemas['Diagnosis'];
export type DiskUsage = Schemas['DiskUsage'];
export type EditPlan = Schemas['EditPlan'];
export type Environment = Schemas['Environment'];
export type EnvironmentChange = Partial<Schemas['EnvironmentChange']>;
export type ErrorReport = Schemas['ErrorReport'];
export type ExportedFile = Schemas['ExportedFile'];
export type FileFormat = Schemas['FileFormat'];
export type Finding = Schemas['Finding'];
export type ForeignEnvironment = Schemas['ForeignEnvironment'];
export type FoundPackage = Schemas['FoundPackage'];
export type Framework = Schemas['Framework'];
export type GpuPolicy = Schemas['GpuPolicy'];
export type GpuReading = Schemas['GpuReading'];
export type GpuUsage = Schemas['GpuUsage'];
export type Hardware = Schemas['Hardware'];
export type ImportPlan = Schemas['ImportPlan'];
export type ImportRequest = Schemas['ImportRequest'];
export type InstalledPackage = Schemas['InstalledPackage'];
export type Installer = Schemas['Installer'];
export type Job = Schemas['Job'];
export type JobKind = Schemas['JobKind'];
export type JobState = Schemas['JobState'];
export type KernelShare = Schemas['KernelShare'];
export type Measured = Schemas['Measured'];
export type MemoryPreset = Schemas['MemoryPreset'];
export type Mirror = Schemas['Mirror'];
export type NameCheck = Schemas['NameCheck'];
export type PackageDifference = Schemas['PackageDifference'];
export type PackageEdit = Schemas['PackageEdit'];
export type PackageOrigin = Schemas['PackageOrigin'];
export type Placement = Schemas['Placement'];
export type Plan = Schemas['Plan'];
export type Progress = Schemas['Progress'];
export type Remedy = Schemas['Remedy'];
export type Severity = Schemas['Severity'];
export type Stage = Schemas['Stage'];
export type Variant = Schemas['Variant'];
export type Verification = Schemas['Verification'];

/** What is asked for; what is left out has the server's default. */
export type Spec = Partial<Schemas['EnvironmentSpec']> & { name: string };

/**
 * What is known of the GPU kernels of a server, and what can be done with them.
 *
 * Every method that asks the server rejects with an `ApiError`; one that takes a signal, and was aborted, with the
 * signal's reason (an `AbortError`).
 */
export interface IGpuKernels extends IDisposable {
  /**
   * Begin to read and to listen, if that has not begun; nothing is asked of the server before.
   *
   * Resolves with the first answer of the server, good or bad.
   */
  start(): Promise<void>;

  /**
   * Begin by itself at the first event of a job; nothing is asked of the server before.
   *
   * For a page that was reloaded with the panel closed: the end of a job is told there too.
   */
  listen(): void;

  /** Whether environments and jobs were read at least once. */
  readonly isReady: boolean;

  /** The environments, by name. */
  readonly environments: readonly Environment[];

  /**
   * The jobs of all processes, the newest first.
   *
   * The log and the progress's `detail` are current for watched jobs only; the log is empty for one that nobody ever
   * watched. A job that has just failed may be without its `error` until it was read again.
   */
  readonly jobs: readonly Job[];

  /**
   * Keep the log and the details of a job current, for as long as somebody shows them.
   *
   * A component watches what it shows (`useEffect(() => { const w = model.watch(id); return () => w.dispose(); }, [id])`);
   * several may watch the same job. A job that has ended is read once.
   */
  watch(id: string): IDisposable;

  /** What this machine has; `null` while unknown. */
  readonly hardware: Hardware | null;

  /** Why the last reading failed; `null` after a good one. */
  readonly error: Error | null;

  /** Emitted after each change of the above. */
  readonly changed: ISignal<IGpuKernels, void>;

  /** Emitted once for each job that ends while we look, with its last snapshot. */
  readonly jobEnded: ISignal<IGpuKernels, Job>;

  /** Read everything anew. */
  refresh(): Promise<void>;

  /** The catalogue; read once. */
  frameworks(): Promise<readonly Framework[]>;

  /** Address of a framework's logo. */
  logoUrl(framework: string): string;

  suggestName(framework: string): Promise<NameCheck>;
  checkName(name: string, signal: AbortSignal): Promise<NameCheck>;
  plan(spec: Spec, signal: AbortSignal): Promise<Plan>;
  create(spec: Spec): Promise<Job>;
  verify(name: string): Promise<Job>;
  rebuild(name: string): Promise<Job>;
  remove(name: string, stopKernels: boolean): Promise<Job>;
  /** Change what needs no new build. */
  change(name: string, wishes: EnvironmentChange): Promise<void>;
  diskUsage(name: string): Promise<DiskUsage>;
  benchmarkNotebook(name: string): Promise<unknown>;
  keepBenchmark(name: string, measured: unknown): Promise<void>;

  /** What the GPUs are doing now, and for whom. */
  gpuUsage(): Promise<GpuUsage>;

  /**
   * What is wrong.
   *
   * @param name - Name of the environment to look at besides the machine; empty for all.
   */
  diagnose(name: string, signal: AbortSignal): Promise<Diagnosis>;

  /** Do what a finding offers to do; answers what is wrong then. What takes long is a job, which has begun. */
  apply(remedy: Remedy): Promise<Diagnosis>;

  /**
   * Ask for what only one view needs.
   *
   * @param path - Segments of the address below our namespace.
   */
  ask<T>(path: readonly string[], options?: IRequest): Promise<T>;

  /** Ask for what begins a job. */
  begin(path: readonly string[], options: IRequest): Promise<Job>;

  /** Cancel a job; resolves once nothing is left of it. */
  cancel(id: string): Promise<void>;

  /** Address of the whole log of a job. */
  logUrl(id: string): string;
}

/**
 * What a new kernel is made with where nobody says otherwise; set by the person in the settings.
 */
export interface IDefaults {
  installer: Installer;
  /** Conda channels; none means those of the server. */
  channels: string[];
  companions: boolean;
  memory: MemoryPreset;
  /** The part of a GPU's memory that one kernel may take, for `fraction`. */
  memory_fraction: number;
  /** How GPUs are chosen for a kernel. */
  placement: GpuPolicy;
}

/**
 * The token of the model.
 */
export const IGpuKernels = new Token<IGpuKernels>(
  'jupyter-gpu-kernels:IGpuKernels',
  'What is known of the GPU kernels of the server, and what can be done with them.'
);
