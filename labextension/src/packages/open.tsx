/**
 * The packages of an environment, as a view.
 */
import React from 'react';

import { gpuKernelIcon } from '../icons';
import { type IViewPlace, openView, showOpen } from '../mainView';
import type { PackageEdit } from '../tokens';
import { PackageDesk } from './desk';
import { NOTHING } from './edit';
import { PackagesView } from './view';

/**
 * Show the packages of an environment.
 *
 * @param name - Its name.
 * @param edit - What shall change of them, to begin with.
 */
export function openPackages(place: IViewPlace, name: string, edit: Partial<PackageEdit> = {}): void {
  const { app, model, translator } = place;
  const trans = translator.load('jupyter_gpu_kernels');
  const id = `jp-gpu-kernels-packages-${name}`;
  const open = showOpen(place, id);
  if (open) {
    if (Object.keys(edit).length > 0) {
      void (open.owned as PackageDesk).change({ ...NOTHING, ...edit });
    }
    return;
  }
  void model.start();
  const desk = new PackageDesk(model, name);
  void desk.read();
  void desk.change({ ...NOTHING, ...edit });
  openView(place, {
    id,
    label: trans.__('Packages of %1', name),
    caption: trans.__('What is in the environment, and what could be'),
    icon: gpuKernelIcon,
    type: 'Packages',
    content: <PackagesView desk={desk} commands={app.commands} trans={trans} />,
    owned: desk
  });
}
