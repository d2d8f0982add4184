/**
 * The REST interface, one function an operation; the types are those of the server's OpenAPI document.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';

import { NAMESPACE, request } from './request';
import type {
  BenchmarkResult,
  Diagnosis,
  DiskUsage,
  Environment,
  EnvironmentChange,
  Framework,
  GpuUsage,
  Hardware,
  Job,
  NameCheck,
  Plan,
  Remedy,
  Spec
} from './tokens';

type Settings = ServerConnection.ISettings;

/** The frameworks that can be asked for. */
export function frameworks(settings: Settings): Promise<Framework[]> {
  return request(['frameworks'], {}, settings);
}

/** Address of a framework's logo, for an `img`. */
export function logoUrl(framework: string, settings: Settings): string {
  return URLExt.join(settings.baseUrl, NAMESPACE, 'frameworks', encodeURIComponent(framework), 'logo');
}

/** This machine's GPUs and driver. */
export function hardware(settings: Settings): Promise<Hardware> {
  return request(['gpus'], {}, settings);
}

/** What the GPUs are doing now, and for whom. */
export function gpuUsage(settings: Settings): Promise<GpuUsage> {
  return request(['gpus', 'usage'], {}, settings);
}

/** What is wrong with the machine, and with one environment or all. */
export function diagnose(environment: string, signal: AbortSignal, settings: Settings): Promise<Diagnosis> {
  return request(['diagnosis'], { signal, ...(environment && { query: { environment } }) }, settings);
}

/** Do what a finding offers to do, and look again. */
export function apply(remedy: Remedy, settings: Settings): Promise<Diagnosis> {
  return request(['diagnosis'], { method: 'POST', body: remedy }, settings);
}

/** A name for a kernel of this framework that is still free. */
export function suggestName(framework: string, settings: Settings): Promise<NameCheck> {
  return request(['names'], { query: { framework } }, settings);
}

/** Whether a name is free, and if not, why. */
export function checkName(name: string, signal: AbortSignal, settings: Settings): Promise<NameCheck> {
  return request(['names', name], { signal }, settings);
}

/** What would be built, or why it cannot be. */
export function plan(spec: Spec, signal: AbortSignal, settings: Settings): Promise<Plan> {
  return request(['plans'], { method: 'POST', body: spec, signal }, settings);
}

/** All environments. */
export function environments(settings: Settings): Promise<Environment[]> {
  return request(['environments'], {}, settings);
}

/** Begin to build, verify and register an environment. */
export function create(spec: Spec, settings: Settings): Promise<Job> {
  return request(['environments'], { method: 'POST', body: spec }, settings);
}

/** Begin to remove an environment. */
export function remove(name: string, stopKernels: boolean, settings: Settings): Promise<Job> {
  const query = { stop_kernels: String(stopKernels) };
  return request(['environments', name], { method: 'DELETE', query }, settings);
}

/** Change what needs no new build. */
export function change(name: string, wishes: EnvironmentChange, settings: Settings): Promise<Environment> {
  return request(['environments', name], { method: 'PATCH', body: wishes }, settings);
}

/** What an environment takes on the disk, measured now. */
export function diskUsage(name: string, settings: Settings): Promise<DiskUsage> {
  return request(['environments', name, 'size'], {}, settings);
}

/** Begin to verify an environment in a real kernel. */
export function verify(name: string, settings: Settings): Promise<Job> {
  return request(['environments', name, 'verify'], { method: 'POST', body: {} }, settings);
}

/** Begin to build an environment anew. */
export function rebuild(name: string, settings: Settings): Promise<Job> {
  return request(['environments', name, 'rebuild'], { method: 'POST', body: {} }, settings);
}

/** The bundled notebook, as JSON, for the kernel of an environment. */
export function benchmarkNotebook(name: string, settings: Settings): Promise<unknown> {
  return request(['environments', name, 'notebook'], {}, settings);
}

/** Keep what the bundled notebook has measured. */
export function keepBenchmark(name: string, measured: unknown, settings: Settings): Promise<BenchmarkResult> {
  return request(['environments', name, 'benchmark'], { method: 'PUT', body: measured }, settings);
}

/** All jobs of all processes, the newest first, without their logs. */
export function jobs(settings: Settings): Promise<Job[]> {
  return request(['jobs'], {}, settings);
}

/** How far a job has come, with the end of its log. */
export function job(id: string, settings: Settings): Promise<Job> {
  return request(['jobs', id], {}, settings);
}

/** Cancel a job; the answer comes once nothing is left of it. */
export function cancel(id: string, settings: Settings): Promise<Job> {
  return request(['jobs', id], { method: 'DELETE' }, settings);
}

/** Address of the whole log of a job, for a new browser tab. */
export function logUrl(id: string, settings: Settings): string {
  return URLExt.join(settings.baseUrl, NAMESPACE, 'jobs', encodeURIComponent(id), 'log');
}
