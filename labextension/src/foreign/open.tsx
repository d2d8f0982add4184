/**
 * The environments that were made elsewhere, as a view.
 */
import React from 'react';

import { gpuKernelIcon } from '../icons';
import { type IViewPlace, openView, showOpen } from '../mainView';
import { ForeignView } from './view';

/** There is one at a time. */
const ID = 'jp-gpu-kernels-foreign';

/**
 * Show them.
 */
export function openForeign(place: IViewPlace): void {
  const { model, translator, app } = place;
  const trans = translator.load('jupyter_gpu_kernels');
  if (showOpen(place, ID)) {
    return;
  }
  void model.start();
  openView(place, {
    id: ID,
    label: trans.__('Other environments'),
    caption: trans.__('Environments of this machine that were made elsewhere'),
    icon: gpuKernelIcon,
    type: 'Environments',
    content: <ForeignView model={model} commands={app.commands} trans={trans} />
  });
}
