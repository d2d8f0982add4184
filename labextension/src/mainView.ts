/**
 * Where a view is shown: in the main area of JupyterLab, in a dialog where a page has one document only.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, MainAreaWidget } from '@jupyterlab/apputils';
import type { ITranslator } from '@jupyterlab/translation';
import { type LabIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';

import '../style/panel.css';
import '../style/views.css';

/**
 * What is needed to show a view.
 */
export interface IViewPlace {
  app: JupyterFrontEnd;
  translator: ITranslator;
  /** Whether a page shows one document only, as in Notebook 7. */
  isSingleDocument: boolean;
}

/**
 * A view.
 */
export interface IMainView {
  /** There is one with it at a time. */
  id: string;
  label: string;
  caption: string;
  icon: LabIcon;
  /** What kind of tab it is, for JupyterLab. */
  type: string;
  content: JSX.Element;
  /** What ends with it. */
  owned?: IDisposable;
}

/**
 * Show a view that is open already.
 *
 * @returns Whether it is.
 */
export function showOpen({ app, isSingleDocument }: IViewPlace, id: string): boolean {
  const isOpen = !isSingleDocument && [...app.shell.widgets('main')].some(widget => widget.id === id);
  if (isOpen) {
    app.shell.activateById(id);
  }
  return isOpen;
}

/**
 * Show a view.
 */
export function openView(place: IViewPlace, view: IMainView): void {
  const { app, translator, isSingleDocument } = place;
  const trans = translator.load('jupyter_gpu_kernels');
  const content = ReactWidget.create(view.content);
  content.addClass('jp-GpuKernels-body');
  content.addClass('jp-GpuKernels-ViewWidget');
  // It takes the focus, so that keys scroll it.
  content.node.tabIndex = 0;
  content.disposed.connect(() => view.owned?.dispose());
  if (isSingleDocument) {
    const dialog = new Dialog({
      title: view.label,
      body: content,
      hasClose: true,
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
    dialog.addClass('jp-GpuKernels-viewDialog');
    void dialog.launch().finally(() => content.dispose());
    return;
  }
  const widget = new MainAreaWidget({ content, translator });
  widget.id = view.id;
  widget.title.label = view.label;
  widget.title.caption = view.caption;
  widget.title.icon = view.icon;
  widget.title.closable = true;
  widget.toolbar.hide();
  app.shell.add(widget, 'main', { type: view.type });
  app.shell.activateById(view.id);
}
