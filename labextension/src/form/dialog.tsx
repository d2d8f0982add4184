/**
 * The dialog around the form of a new kernel.
 */
import type { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { Sheet } from '../sheet';
import type { Job } from '../tokens';
import { FormBody } from './body';
import type { FormController } from './controller';
import { FormFooter } from './footer';

/** There is one dialog at a time: JupyterLab queues them. */
const FORM_ID = 'jp-GpuKernels-Form';

/**
 * A dialog that resolves with the job that has begun.
 */
export class FormDialog extends Sheet<Job | null> {
  /**
   * @param controller - The form at work; the dialog lets it begin, and disposes of it.
   */
  constructor(controller: FormController, trans: TranslationBundle) {
    const cancel = (): void => this.reject();
    super({
      title: trans.__('New GPU kernel'),
      body: new Body(controller, trans),
      footer: ReactWidget.create(<FormFooter trans={trans} controller={controller} form={FORM_ID} onCancel={cancel} />)
    });
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
  }

  // The cards take the focus themselves, once they are there.
  protected override readonly first = 'fieldset';

  private readonly _controller: FormController;
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
