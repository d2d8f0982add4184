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
import type { IGpuKernels } from './tokens';

/**
 * What is needed to show a view.
 */
export interface IViewPlace {
  app: JupyterFrontEnd;
  model: IGpuKernels;
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
 * What React fills.
 */
export class ViewContent extends ReactWidget {
  /**
   * @param owned - What ends with it.
   */
  constructor(
    private readonly _element: JSX.Element,
    readonly owned?: IDisposable
  ) {
    super();
    this.addClass('jp-GpuKernels-body');
    this.addClass('jp-GpuKernels-ViewWidget');
    // It takes the focus, so that keys scroll it.
    this.node.tabIndex = 0;
  }

  override dispose(): void {
    this.owned?.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    return this._element;
  }
}

/**
 * A dialog around a view, whose keys are those of the view.
 */
class ViewDialog extends Dialog<unknown> {
  constructor(
    readonly viewId: string,
    readonly content: ViewContent,
    options: Partial<Dialog.IOptions<unknown>>
  ) {
    super({ ...options, body: content });
    this.addClass('jp-GpuKernels-viewDialog');
  }

  /**
   * Leave Enter and arrows to what has the focus in the view: a dialog would take the one for its button and be closed.
   */
  protected override _evtKeydown(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const isListed = target.getAttribute('aria-expanded') === 'true';
    if (this.content.node.contains(target) && event.key !== 'Tab' && (event.key !== 'Escape' || isListed)) {
      return;
    }
    super._evtKeydown(event);
  }
}

/**
 * Show a view that is open already.
 *
 * @returns Its content; `null` where it is not.
 */
export function showOpen({ app, isSingleDocument }: IViewPlace, id: string): ViewContent | null {
  if (isSingleDocument) {
    const dialog = Dialog.tracker.find(dialog => dialog instanceof ViewDialog && dialog.viewId === id);
    return dialog instanceof ViewDialog ? dialog.content : null;
  }
  const open = [...app.shell.widgets('main')].find(widget => widget.id === id);
  if (!(open instanceof MainAreaWidget) || !(open.content instanceof ViewContent)) {
    return null;
  }
  app.shell.activateById(id);
  return open.content;
}

/**
 * Show a view.
 */
export function openView(place: IViewPlace, view: IMainView): void {
  const { app, translator, isSingleDocument } = place;
  const trans = translator.load('jupyter_gpu_kernels');
  const content = new ViewContent(view.content, view.owned);
  if (isSingleDocument) {
    const dialog = new ViewDialog(view.id, content, {
      title: view.label,
      hasClose: true,
      buttons: [Dialog.okButton({ label: trans.__('Close') })]
    });
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
