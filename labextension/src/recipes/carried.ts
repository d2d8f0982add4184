/**
 * What a notebook says of its kernel. Anybody can write into a notebook: the server judges what it asks for, and here
 * only so much is read as is shown.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import type { PartialJSONValue } from '@lumino/coreutils';

/** Our key in the metadata of notebooks and of kernelspecs. */
export const KEY = 'jupyter_gpu_kernels';

/**
 * A kernel that a notebook carries.
 */
export interface ICarried {
  /** Name of its environment. */
  name: string;
  /** Name of its kernelspec. */
  kernelName: string;
  /** What it is called for people. */
  title: string;
  /** Catalogue id of its framework; empty where that is not said. */
  framework: string;
  /** Version of the framework; empty where that is not said. */
  version: string;
  /** All that is carried, as it stands there. */
  recipe: PartialJSONValue;
}

/** What a notebook carries; `null` where that is nothing, or makes no sense. */
export function carriedBy(panel: NotebookPanel): ICarried | null {
  return read(panel.context.model.getMetadata(KEY));
}

/** The same of what stands in the metadata. */
export function read(recipe: unknown): ICarried | null {
  const name = Private.text(recipe, 'name');
  if (!/^[A-Za-z0-9][\w-]{0,63}$/.test(name)) {
    return null;
  }
  const { spec, original } = recipe as { spec?: unknown; original?: unknown };
  const title = Private.text(recipe, 'display_name');
  return {
    name,
    kernelName: name.toLowerCase(),
    // Characters that nobody sees can make one text look like another.
    title: title.trim() && title.length <= 100 && !/[\p{C}\p{Zl}\p{Zp}]/u.test(title) ? title : name,
    framework: Private.text(spec, 'framework'),
    version: Private.text(original, 'framework_version'),
    recipe: recipe as PartialJSONValue
  };
}

/** The name of the environment of a kernel, if it is one of ours; empty otherwise. */
export function environmentOf(specs: KernelSpec.ISpecModels | null, kernelName: string): string {
  return Private.text(specs?.kernelspecs[kernelName]?.metadata?.[KEY], 'environment');
}

/** The first two numbers of a version: what programs that fit each other have in common. */
export function minorOf(version: string | null): string {
  return (version ?? '').split('.').slice(0, 2).join('.');
}

namespace Private {
  /**
   * A text of an object that may be anything.
   */
  export function text(owner: unknown, key: string): string {
    const value = typeof owner === 'object' && owner !== null ? (owner as Record<string, unknown>)[key] : undefined;
    return typeof value === 'string' ? value : '';
  }
}
