/**
 * The GPUs that a kernel can be built for without one being here.
 */
import type { ISuggestion } from './inputs';

/** Names that the server takes, and GPUs that people know: https://developer.nvidia.com/cuda-gpus */
export const ARCHITECTURES: readonly ISuggestion[] = [
  { value: 'blackwell', label: 'B200, RTX 50' },
  { value: 'hopper', label: 'H100, H200' },
  { value: 'ada', label: 'L4, L40, RTX 40' },
  { value: 'ampere', label: 'A100, A10, RTX 30' },
  { value: 'turing', label: 'T4, RTX 20' },
  { value: 'volta', label: 'V100' },
  { value: 'pascal', label: 'P100, GTX 10' }
];
