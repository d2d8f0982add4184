/**
 * A dialog with a form in it: JupyterLab's, but with the keyboard of a form.
 */
import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import '../style/form.css';
import '../style/sheets.css';

/** What the Tab key stops at. */
const TABBABLE = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';

/**
 * A dialog around a form that has its own buttons.
 */
export class Sheet<T> extends Dialog<T> {
  constructor({ title, body, footer }: Sheet.IOptions<T>) {
    super({
      title,
      body,
      hasClose: true,
      // They are not shown: the form has its own. They say how the dialog ends.
      buttons: [Dialog.cancelButton(), Dialog.okButton()],
      renderer: new Private.Renderer(footer ?? new Widget())
    });
    this.addClass('jp-GpuKernels-FormDialog');
    this.node.setAttribute('aria-label', title);
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.ready.then(() => {
      const body = this.node.querySelector('.jp-Dialog-body');
      // What the form is about may have taken the focus itself.
      if (!body?.contains(document.activeElement)) {
        body?.querySelector<HTMLElement>(this.first)?.focus();
      }
    });
  }

  /** What has the focus in the beginning. */
  protected readonly first: string = 'input, select, textarea, button';

  /**
   * Leave the keyboard to the form: Enter submits it, or presses the button that has the focus; arrows choose.
   */
  protected override _evtKeydown(event: KeyboardEvent): void {
    if (event.isComposing) {
      return;
    }
    if (event.key === 'Escape') {
      event.stopPropagation();
      event.preventDefault();
      this.reject();
    } else if (event.key === 'Tab') {
      this._keepInside(event);
    }
  }

  /**
   * Ignore clicks outside: a filled form must not be lost to one.
   */
  protected override _evtClick(event: MouseEvent): void {
    if (this._isOutside(event)) {
      event.stopPropagation();
      event.preventDefault();
    }
  }

  /**
   * Nor do they take the focus away.
   */
  protected override _evtMouseDown(event: MouseEvent): void {
    if (this._isOutside(event)) {
      event.preventDefault();
    }
  }

  /**
   * Bring the focus back from outside to where it was.
   */
  protected override _evtFocus(event: FocusEvent): void {
    const target = event.target;
    if (!(target instanceof HTMLElement)) {
      return;
    }
    if (this.node.contains(target)) {
      this._focused = target;
    } else {
      event.stopPropagation();
      (this._focused?.isConnected ? this._focused : this._tabbable()[0])?.focus();
    }
  }

  /**
   * Judge nothing: the form shows what is wrong, and the server knows.
   */
  protected override _evtInput(): void {
    // See above.
  }

  private _isOutside(event: MouseEvent): boolean {
    return !this.node.querySelector('.jp-Dialog-content')?.contains(event.target as Node);
  }

  private _keepInside(event: KeyboardEvent): void {
    const stops = this._tabbable();
    const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    if (document.activeElement === from && to) {
      event.stopPropagation();
      event.preventDefault();
      to.focus();
    }
  }

  private _tabbable(): HTMLElement[] {
    return [...this.node.querySelectorAll<HTMLElement>(TABBABLE)].filter(
      node => !node.matches(':disabled') && node.tabIndex >= 0 && node.getClientRects().length > 0
    );
  }

  private _focused: HTMLElement | null = null;
}

/**
 * Statics of sheets.
 */
export namespace Sheet {
  /**
   * What a sheet consists of.
   */
  export interface IOptions<T> {
    title: string;
    body: Widget & Dialog.IBodyWidget<T>;
    /** The buttons, where they are no part of the body. */
    footer?: Widget;
  }

  /**
   * Ask with a form that ends itself.
   *
   * @param render - The form, given what ends it: with an answer, or with `null`.
   */
  export async function ask<T>(
    title: string,
    render: (end: (answer: T | null) => void) => JSX.Element
  ): Promise<T | null> {
    let answer: T | null = null;
    const body = ReactWidget.create(
      render(value => {
        answer = value;
        sheet.resolve(1);
      })
    );
    body.addClass('jp-GpuKernels-Sheet');
    const sheet = new Sheet<unknown>({ title, body });
    const { button } = await sheet.launch();
    return button.accept ? answer : null;
  }
}

namespace Private {
  /**
   * Renders a body that React alone changes, and the footer of the form.
   */
  export class Renderer extends Dialog.Renderer {
    constructor(private readonly _footer: Widget) {
      super();
    }

    override createBody(body: Widget): Widget {
      // The default one moves selects into wrappers of its own, from where React cannot remove them.
      body.addClass('jp-Dialog-body');
      return body;
    }

    override createFooter(): Widget {
      this._footer.addClass('jp-Dialog-footer');
      return this._footer;
    }
  }
}
