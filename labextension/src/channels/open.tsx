/**
 * Where packages come from, as a view.
 */
import React from 'react';

import { gpuKernelIcon } from '../icons';
import { type IViewPlace, openView, showOpen } from '../mainView';
import { ChannelsView } from './view';

/** There is one at a time. */
const ID = 'jp-gpu-kernels-channels';

/**
 * Show it.
 */
export function openChannels(place: IViewPlace): void {
  const trans = place.translator.load('jupyter_gpu_kernels');
  if (showOpen(place, ID)) {
    return;
  }
  openView(place, {
    id: ID,
    label: trans.__('Package sources'),
    caption: trans.__('Which channels, indexes and mirrors packages come from, and who says so'),
    icon: gpuKernelIcon,
    type: 'Package sources',
    content: <ChannelsView model={place.model} trans={trans} />
  });
}
