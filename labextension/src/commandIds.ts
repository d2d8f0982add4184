/**
 * What can be done, wherever it is asked for: menu, palette, Launcher, panel, notification.
 */
export namespace CommandIDs {
  /** Open the form of a new kernel; takes any field of a spec as its preset. */
  export const create = 'gpu-kernels:create';
  /** Show the panel. */
  export const show = 'gpu-kernels:show';
  /** Read everything anew. */
  export const refresh = 'gpu-kernels:refresh';

  /** Look for what is wrong; takes `{ name }`, the name of an environment, to look at no other. */
  export const diagnose = 'gpu-kernels:diagnose';

  // These take `{ name }`, the name of an environment.

  /** Open a new notebook with the kernel, in the current folder. */
  export const openNotebook = 'gpu-kernels:open-notebook';
  /** Change the kernel of the active notebook. */
  export const useInNotebook = 'gpu-kernels:use-in-notebook';
  /** Open a copy of the bundled notebook in the current folder, and run it. */
  export const benchmark = 'gpu-kernels:benchmark';
  export const verify = 'gpu-kernels:verify';
  export const rebuild = 'gpu-kernels:rebuild';
  export const rename = 'gpu-kernels:rename';
  /** Change which GPUs its kernels are given, and how much of their memory. */
  export const changeGpus = 'gpu-kernels:change-gpus';
  export const remove = 'gpu-kernels:remove';
  /** Show its packages, and change them. */
  export const packages = 'gpu-kernels:packages';
  /** Write it to a file, or pack it. */
  export const share = 'gpu-kernels:share';
  /** Make another one of it. */
  export const clone = 'gpu-kernels:clone';

  /** Make a kernel of a file; takes `{ path }`, a file of the server, to begin with. */
  export const importFile = 'gpu-kernels:import';
  /** Make kernels of environments that were made elsewhere, and release them. */
  export const adopt = 'gpu-kernels:adopt';
  /** Show where packages come from. */
  export const channels = 'gpu-kernels:channels';

  /** Cancel a job; takes `{ id }`. */
  export const cancel = 'gpu-kernels:cancel';
}
