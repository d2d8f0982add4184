/**
 * The frame of the side panel: it fetches its content when it is first shown.
 */
import { Spinner } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { PanelLayout, Widget } from '@lumino/widgets';

import type { GpuKernelsPanel } from './panel';

/**
 * The frame of the side panel.
 */
export class LazyPanel extends Widget {
  constructor(options: GpuKernelsPanel.IOptions) {
    super();
    this.addClass('jp-GpuKernels-frame');
    this.layout = new PanelLayout();
    this._options = options;
  }

  /** Hand the keyboard to the content. */
  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    void this._content?.then(content => content.activate());
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    if (this.isVisible) {
      this._content ??= this._fetch();
    }
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._content ??= this._fetch();
  }

  private async _fetch(): Promise<Widget> {
    const layout = this.layout as PanelLayout;
    layout.widgets.forEach(widget => widget.dispose());
    const spinner = new Spinner();
    layout.addWidget(spinner);
    // Both take their time: the code and the answer of the server.
    void this._options.model.start();
    let content: Widget;
    try {
      const { GpuKernelsPanel } = await import('./panel');
      content = new GpuKernelsPanel(this._options);
    } catch (reason) {
      content = Private.apology(this._options, reason);
      // Shown again, it is tried again.
      this._content = undefined;
    }
    spinner.dispose();
    layout.addWidget(content);
    return content;
  }

  private readonly _options: GpuKernelsPanel.IOptions;
  private _content: Promise<Widget> | undefined;
}

namespace Private {
  /**
   * What is shown where the panel should be.
   */
  export function apology(options: GpuKernelsPanel.IOptions, reason: unknown): Widget {
    const trans = options.translator.load('jupyter_gpu_kernels');
    const widget = new Widget();
    widget.addClass('jp-GpuKernels-apology');
    widget.node.setAttribute('role', 'alert');
    widget.node.textContent = trans.__('The panel could not be loaded: reload the page. (%1)', String(reason));
    return widget;
  }
}
