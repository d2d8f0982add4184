/**
 * The question before a kernel is shut down, and its end.
 */
import { Dialog, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { memory } from '../format';
import type { KernelShare } from '../tokens';
import { holderName } from './gpuHolderWords';

/**
 * Ask whether to shut down a kernel, and do so; what goes wrong is shown.
 *
 * @returns Whether it was shut down.
 */
export async function confirmShutDown(
  kernels: Kernel.IManager,
  share: KernelShare,
  trans: TranslationBundle
): Promise<boolean> {
  const name = holderName(trans, share);
  const { button } = await showDialog({
    title: trans.__('Shut down the kernel of %1?', name),
    body:
      share.memory === null
        ? trans.__('Its variables are lost. The notebook itself stays.')
        : trans.__(
            'Its variables are lost, and %1 of GPU memory come free. The notebook itself stays.',
            memory(share.memory)
          ),
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.warnButton({ label: trans.__('Shut down') })],
    // What cannot be undone is not what Enter does.
    defaultButton: 0
  });
  if (!button.accept) {
    return false;
  }
  try {
    await kernels.shutdown(share.kernel_id);
    return true;
  } catch (reason) {
    void showErrorMessage(trans.__('The kernel could not be shut down'), reason as Error);
    return false;
  }
}
