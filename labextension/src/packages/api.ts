/**
 * What the server knows of packages, one function an operation.
 */
import type { EditPlan, FoundPackage, IGpuKernels, InstalledPackage, Job, PackageEdit } from '../tokens';

/** How many names are shown while somebody types. */
const LIMIT = 20;

/** What is in an environment. */
export function installedPackages(model: IGpuKernels, name: string, signal: AbortSignal): Promise<InstalledPackage[]> {
  return model.ask(['environments', name, 'packages'], { signal });
}

/** Packages whose names are like a text, the best first. */
export function findPackages(
  model: IGpuKernels,
  text: string,
  environment: string,
  signal: AbortSignal
): Promise<FoundPackage[]> {
  return model.ask(['packages'], { query: { q: text, environment, limit: String(LIMIT) }, signal });
}

/** A package with its versions. */
export function lookUp(
  model: IGpuKernels,
  name: string,
  environment: string,
  signal: AbortSignal
): Promise<FoundPackage> {
  return model.ask(['packages', name], { query: { environment }, signal });
}

/** What an edit would do. */
export function previewEdit(
  model: IGpuKernels,
  name: string,
  edit: PackageEdit,
  signal: AbortSignal
): Promise<EditPlan> {
  return model.ask(['environments', name, 'packages', 'plan'], { method: 'POST', body: edit, signal });
}

/** Begin to change packages. */
export function applyEdit(model: IGpuKernels, name: string, edit: PackageEdit): Promise<Job> {
  return model.begin(['environments', name, 'packages'], { method: 'POST', body: edit });
}
