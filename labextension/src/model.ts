/**
 * The model: what is known of the GPU kernels of the server, and what can be done with them.
 */
import * as api from './api';
import { LiveKernels } from './liveKernels';
import { type IRequest, request } from './request';
import type {
  Diagnosis,
  DiskUsage,
  EnvironmentChange,
  Framework,
  GpuUsage,
  IGpuKernels,
  Job,
  NameCheck,
  Plan,
  Remedy,
  Spec
} from './tokens';

/**
 * The one implementation of `IGpuKernels`, which has its documentation.
 */
export class GpuKernels extends LiveKernels implements IGpuKernels {
  frameworks(): Promise<readonly Framework[]> {
    this._frameworks ??= api.frameworks(this._settings).catch((reason: unknown) => {
      // Whoever asks next may be luckier.
      this._frameworks = null;
      throw reason;
    });
    return this._frameworks;
  }

  logoUrl(framework: string): string {
    return api.logoUrl(framework, this._settings);
  }

  suggestName(framework: string): Promise<NameCheck> {
    return api.suggestName(framework, this._settings);
  }

  checkName(name: string, signal: AbortSignal): Promise<NameCheck> {
    return api.checkName(name, signal, this._settings);
  }

  plan(spec: Spec, signal: AbortSignal): Promise<Plan> {
    return api.plan(spec, signal, this._settings);
  }

  create(spec: Spec): Promise<Job> {
    return this._begin(api.create(spec, this._settings));
  }

  verify(name: string): Promise<Job> {
    return this._begin(api.verify(name, this._settings));
  }

  rebuild(name: string): Promise<Job> {
    return this._begin(api.rebuild(name, this._settings));
  }

  remove(name: string, stopKernels: boolean): Promise<Job> {
    return this._begin(api.remove(name, stopKernels, this._settings));
  }

  async change(name: string, wishes: EnvironmentChange): Promise<void> {
    await api.change(name, wishes, this._settings);
    await this.readKernels();
  }

  diskUsage(name: string): Promise<DiskUsage> {
    return api.diskUsage(name, this._settings);
  }

  benchmarkNotebook(name: string): Promise<unknown> {
    return api.benchmarkNotebook(name, this._settings);
  }

  async keepBenchmark(name: string, measured: unknown): Promise<void> {
    await api.keepBenchmark(name, measured, this._settings);
    await this.readKernels();
  }

  gpuUsage(): Promise<GpuUsage> {
    return api.gpuUsage(this._settings);
  }

  diagnose(name: string, signal: AbortSignal): Promise<Diagnosis> {
    return api.diagnose(name, signal, this._settings);
  }

  async apply(remedy: Remedy): Promise<Diagnosis> {
    try {
      return await api.apply(remedy, this._settings);
    } finally {
      // It may have begun a job, and changed kernels without one.
      void this.refresh();
      void this.readKernels();
    }
  }

  ask<T>(path: readonly string[], options: IRequest = {}): Promise<T> {
    return request<T>(path, options, this._settings);
  }

  begin(path: readonly string[], options: IRequest): Promise<Job> {
    return this._begin(this.ask(path, options));
  }

  async cancel(id: string): Promise<void> {
    const asked = this.knownJobs();
    try {
      this.takeJob(await api.cancel(id, this._settings), asked);
    } catch (reason) {
      // It may have ended, and we have not heard of it.
      this.readJob(id);
      throw reason;
    }
  }

  logUrl(id: string): string {
    return api.logUrl(id, this._settings);
  }

  /** Show a job as soon as the server has taken it in, without waiting for its first event. */
  private async _begin(answer: Promise<Job>): Promise<Job> {
    const asked = this.knownJobs();
    const job = await answer;
    this.takeJob(job, asked);
    // Its end is to be told.
    void this.start();
    return job;
  }

  private get _settings(): LiveKernels.IServices['serverSettings'] {
    return this.services.serverSettings;
  }

  private _frameworks: Promise<readonly Framework[]> | null = null;
}
