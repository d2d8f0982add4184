import { LabIcon } from '@jupyterlab/ui-components';

import gpuKernel from '../style/icons/gpu-kernel.svg';

/** The product: a chip with its kernel. */
export const gpuKernelIcon = new LabIcon({ name: 'jupyter-gpu-kernels:gpu-kernel', svgstr: gpuKernel });
