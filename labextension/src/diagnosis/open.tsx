/**
 * Where the doctor's view is shown: in the main area of JupyterLab, in a dialog where a page has one document only.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, MainAreaWidget } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { CommandIDs } from '../commandIds';
import { diagnoseIcon } from '../icons';
import type { IGpuKernels } from '../tokens';
import { Examination } from './examination';
import { DiagnosisView } from './view';

/** There is one at a time. */
const ID = 'jp-gpu-kernels-diagnosis';

/**
 * What is needed to show the doctor's view.
 */
export interface IDiagnosisOptions {
  app: JupyterFrontEnd;
  model: IGpuKernels;
  translator: ITranslator;
  /** Whether a page shows one document only, as in Notebook 7. */
  isSingleDocument: boolean;
}

/**
 * Show the doctor's view, and look.
 *
 * @param subject - Name of the environment to look at besides the machine; empty for all.
 */
export function openDiagnosis(options: IDiagnosisOptions, subject: string): void {
  const { app, model, translator, isSingleDocument } = options;
  const trans = translator.load('jupyter_gpu_kernels');
  // The remedies are disabled while jobs are at work on what they would cure.
  void model.start();
  const open = isSingleDocument ? undefined : [...app.shell.widgets('main')].find(({ id }) => id === ID);
  if (open instanceof MainAreaWidget && open.content instanceof Private.Content) {
    app.shell.activateById(ID);
    void open.content.examination.look(subject);
    return;
  }
  const showJobs = (): void => {
    if (app.commands.hasCommand(CommandIDs.show)) {
      void app.commands.execute(CommandIDs.show, { keepFocus: true });
    }
  };
  const content = new Private.Content(new Examination(model, subject, showJobs), translator);
  void content.examination.look();
  if (isSingleDocument) {
    const dialog = new Dialog({
      title: trans.__('Diagnosis'),
      body: content,
      hasClose: true,
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
    dialog.addClass('jp-GpuKernels-diagnosisDialog');
    void dialog.launch().finally(() => content.dispose());
    return;
  }
  const widget = new MainAreaWidget({ content, translator });
  widget.id = ID;
  widget.title.label = trans.__('Diagnosis');
  widget.title.caption = trans.__('What is wrong with this machine and its kernels');
  widget.title.icon = diagnoseIcon;
  widget.title.closable = true;
  widget.toolbar.hide();
  app.shell.add(widget, 'main', { type: 'Diagnosis' });
  app.shell.activateById(ID);
}

namespace Private {
  /**
   * What React fills.
   */
  export class Content extends ReactWidget {
    constructor(
      readonly examination: Examination,
      private readonly _translator: ITranslator
    ) {
      super();
      this.addClass('jp-GpuKernels-body');
      this.addClass('jp-GpuKernels-DiagnosisWidget');
      // It takes the focus, so that keys scroll it.
      this.node.tabIndex = 0;
    }

    override dispose(): void {
      this.examination.dispose();
      super.dispose();
    }

    protected override render(): JSX.Element {
      return <DiagnosisView examination={this.examination} trans={this._translator.load('jupyter_gpu_kernels')} />;
    }
  }
}
