/**
 * The plugin of the model; it is made when another plugin asks for it.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

// eslint-disable-next-line jupyter/prefer-lazy-imports -- it listens from the start, and is small
import { GpuKernels } from '../model';
import { IGpuKernels } from '../tokens';

export const modelPlugin: JupyterFrontEndPlugin<IGpuKernels> = {
  id: 'jupyter-gpu-kernels:model',
  description: 'Knows the GPU kernels of the server.',
  provides: IGpuKernels,
  activate: (app: JupyterFrontEnd): IGpuKernels => new GpuKernels({ services: app.serviceManager })
};
