/**
 * New GPU kernel: the dialog that asks for one.
 */
import type { ITranslator } from '@jupyterlab/translation';

import { FormController } from './form/controller';
import { FormDialog } from './form/dialog';
import type { IDefaults, IGpuKernels, Job, Spec } from './tokens';

/**
 * What {@link createKernel} needs.
 */
export interface ICreateOptions {
  model: IGpuKernels;
  translator: ITranslator;
  /** What a field begins with where the preset does not say. */
  defaults: IDefaults;
  /** What is known already of what is wanted. */
  preset?: Partial<Spec>;
}

/**
 * Ask for a new kernel: a form, a preview of what would be built, and the beginning of the build.
 *
 * @returns The job that builds it, or `null` if the person decided otherwise.
 */
export async function createKernel(options: ICreateOptions): Promise<Job | null> {
  const trans = options.translator.load('jupyter_gpu_kernels');
  const { value } = await new FormDialog(new FormController(options), trans).launch();
  return value;
}
