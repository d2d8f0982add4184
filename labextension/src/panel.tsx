/**
 * The side panel: what this machine has, what is being built, and which GPU kernels there are.
 */
import type { Kernel, KernelSpec, Session } from '@jupyterlab/services';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { CommandToolbarButton, ReactWidget, SidePanel, Toolbar } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import React from 'react';

import '../style/panel.css';
import '../style/gpus.css';

import { CommandIDs } from './commandIds';
import { PanelBody } from './components/panelBody';
import { gpuKernelIcon } from './icons';
import { LiveUsage } from './liveUsage';
import type { IGpuKernels } from './tokens';

/**
 * The side panel.
 *
 * The model is started when the panel is first shown.
 */
export class GpuKernelsPanel extends SidePanel {
  constructor(options: GpuKernelsPanel.IOptions) {
    // One page that scrolls, not the usual accordion: it stays whole in a low window and at a high zoom.
    super({ content: new Panel(), translator: options.translator });
    const trans = options.translator.load('jupyter_gpu_kernels');
    const { commands } = options;
    this._model = options.model;
    this._usage = new LiveUsage(this._model);
    this._body = new Private.Body(options, this._usage, trans);
    this.id = 'jp-GpuKernels-panel';
    this.addClass('jp-GpuKernels-panel');
    this.title.icon = gpuKernelIcon;
    this.title.caption = trans.__('GPU kernels');
    this.content.node.setAttribute('aria-label', trans.__('GPU kernels'));

    this.toolbar.node.setAttribute('aria-label', trans.__('GPU kernels toolbar'));
    this.toolbar.addItem('create', new CommandToolbarButton({ commands, id: CommandIDs.create }));
    this.toolbar.addItem('spacer', Toolbar.createSpacerItem());
    this.toolbar.addItem('import', new CommandToolbarButton({ commands, id: CommandIDs.importFile, label: '' }));
    this.toolbar.addItem('diagnose', new CommandToolbarButton({ commands, id: CommandIDs.diagnose, label: '' }));
    this.toolbar.addItem('refresh', new CommandToolbarButton({ commands, id: CommandIDs.refresh, label: '' }));
    this.addWidget(this._body);
  }

  override dispose(): void {
    this._usage.dispose();
    super.dispose();
  }

  /** Give the keyboard to the content. */
  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this._body.node.focus();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._visit();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._visit();
  }

  protected override onAfterHide(msg: Message): void {
    super.onAfterHide(msg);
    this._usage.isWatched = false;
  }

  protected override onBeforeDetach(msg: Message): void {
    this._usage.isWatched = false;
    super.onBeforeDetach(msg);
  }

  private _visit(): void {
    this._body.visit += 1;
    this._body.update();
    // What goes wrong is `model.error`.
    void this._model.start();
    this._usage.isWatched = true;
  }

  private readonly _model: IGpuKernels;
  private readonly _usage: LiveUsage;
  private readonly _body: Private.Body;
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
    kernels: Kernel.IManager;
    sessions: Session.IManager;
    specs: KernelSpec.IManager;
    translator: ITranslator;
  }
}

namespace Private {
  /**
   * What React fills.
   */
  export class Body extends ReactWidget {
    constructor(
      private readonly _options: GpuKernelsPanel.IOptions,
      private readonly _usage: LiveUsage,
      private readonly _trans: TranslationBundle
    ) {
      super();
      this.addClass('jp-GpuKernels-body');
      // It takes the focus over from what goes.
      this.node.tabIndex = -1;
    }

    /** How often the panel was shown. */
    visit = 0;

    protected override render(): JSX.Element {
      const { model, commands, kernels, sessions, specs } = this._options;
      return (
        <PanelBody
          model={model}
          usage={this._usage}
          commands={commands}
          kernels={kernels}
          sessions={sessions}
          specs={specs}
          trans={this._trans}
          visit={this.visit}
        />
      );
    }
  }
}
