/**
 * The modal dialog around the form: JupyterLab's, but with the keyboard of a form.
 */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { Widget } from '@lumino/widgets';
import * as React from 'react';

import type { Job } from '../tokens';
import { FormBody } from './body';
import type { FormController } from './controller';
import { FormFooter } from './footer';

/** There is one dialog at a time: JupyterLab queues them. */
const FORM_ID = 'jp-GpuKernels-Form';

/** What the Tab key stops at. */
const TABBABLE = 'a[href], button, input, select, textarea, summary, [tabindex="0"]';

/**
 * A dialog that resolves with the job that has begun.
 */
export class FormDialog extends Dialog<Job | null> {
  /**
   * @param controller - The form at work; the dialog lets it begin, and disposes of it.
   */
  constructor(controller: FormController, trans: TranslationBundle) {
    super({
      title: trans.__('New GPU kernel'),
      body: new Body(controller, trans),
      hasClose: true,
      // The first is not shown, nor is the second: the footer has its own. They say how the dialog ends.
      buttons: [Dialog.cancelButton(), Dialog.okButton()],
      renderer: new Renderer(controller, trans, () => this.reject())
    });
    this.addClass('jp-GpuKernels-FormDialog');
    this.node.setAttribute('aria-label', trans.__('New GPU kernel'));
    this._controller = controller;
    controller.begun.connect(() => this.resolve(1));
  }

  override dispose(): void {
    this._controller.dispose();
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this._controller.load();
    void this.ready.then(() => {
      const form = this.node.querySelector(`#${FORM_ID}`);
      // The cards take the focus themselves, once they are there.
      if (!form?.contains(document.activeElement)) {
        form?.querySelector<HTMLElement>('fieldset')?.focus();
      }
    });
  }

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

  private readonly _controller: FormController;
  private _focused: HTMLElement | null = null;
}

/**
 * The form as the body of a dialog.
 */
class Body extends ReactWidget implements Dialog.IBodyWidget<Job | null> {
  constructor(
    private readonly _controller: FormController,
    private readonly _trans: TranslationBundle
  ) {
    super();
  }

  getValue(): Job | null {
    return this._controller.job;
  }

  protected render(): JSX.Element {
    return <FormBody trans={this._trans} controller={this._controller} id={FORM_ID} />;
  }
}

/**
 * Renders a body that React alone changes, and the footer of the form.
 */
class Renderer extends Dialog.Renderer {
  constructor(
    private readonly _controller: FormController,
    private readonly _trans: TranslationBundle,
    private readonly _cancel: () => void
  ) {
    super();
  }

  override createBody(body: Body): Widget {
    // The default one moves selects into wrappers of its own, from where React cannot remove them.
    body.addClass('jp-Dialog-body');
    return body;
  }

  override createFooter(): Widget {
    const footer = ReactWidget.create(
      <FormFooter trans={this._trans} controller={this._controller} form={FORM_ID} onCancel={this._cancel} />
    );
    footer.addClass('jp-Dialog-footer');
    return footer;
  }
}
