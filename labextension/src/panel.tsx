/**
 * The side panel: what this machine has, what is being built, and which GPU kernels there are.
 */
import type { KernelSpec, Session } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';
import { SidePanel } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';

import { gpuKernelIcon } from './icons';
import type { IGpuKernels } from './tokens';

/**
 * The side panel.
 *
 * The model is started when the panel is first shown.
 */
export class GpuKernelsPanel extends SidePanel {
  constructor(options: GpuKernelsPanel.IOptions) {
    super({ content: new Panel(), translator: options.translator });
    const trans = options.translator.load('jupyter_gpu_kernels');
    this._model = options.model;
    this.id = 'jp-GpuKernels-panel';
    this.addClass('jp-GpuKernels-panel');
    this.title.icon = gpuKernelIcon;
    this.title.caption = trans.__('GPU kernels');
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    void this._model.start();
  }

  private readonly _model: IGpuKernels;
}

/**
 * Statics of the panel.
 */
export namespace GpuKernelsPanel {
  /**
   * What the panel shows, and with what it acts.
   */
  export interface IOptions {
    model: IGpuKernels;
    commands: CommandRegistry;
    sessions: Session.IManager;
    specs: KernelSpec.IManager;
    translator: ITranslator;
  }
}
