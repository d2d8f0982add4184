/**
 * The icons.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import diagnose from '../style/icons/diagnose.svg';
import gpuKernel from '../style/icons/gpu-kernel.svg';
import newGpuKernel from '../style/icons/new-gpu-kernel.svg';

/** The product: a chip with its kernel. */
export const gpuKernelIcon = new LabIcon({ name: 'jupyter-gpu-kernels:gpu-kernel', svgstr: gpuKernel });

/** The doctor: a stethoscope. */
export const diagnoseIcon = new LabIcon({ name: 'jupyter-gpu-kernels:diagnose', svgstr: diagnose });

/**
 * The Launcher's card, as an address.
 *
 * Among the kernels the Launcher draws addresses only, so the drawing has a colour of its own that is seen on light and
 * on dark: https://github.com/jupyterlab/jupyterlab/blob/v4.6.0/packages/launcher/src/widget.tsx
 */
export const newKernelCard = `data:image/svg+xml,${encodeURIComponent(newGpuKernel)}`;
