/**
 * Looks after one notebook that has, or had, one of our kernels.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITranslator } from '@jupyterlab/translation';

import { fetchPart } from '../attempt';
import { SETTINGS } from '../settings';
import type { IGpuKernels, Job } from '../tokens';
import { carriedBy, type ICarried } from './carried';
import { RecipeKeeper } from './keeper';

/**
 * The notebook, and what it is looked after with.
 */
export interface IWatchOptions {
  panel: NotebookPanel;
  model: IGpuKernels;
  kernelspecs: KernelSpec.IManager;
  settings: ISettingRegistry | null;
  translator: ITranslator;
}

/**
 * Keep a notebook's recipe, and offer to build its kernel if that is missing.
 */
export async function watchNotebook(options: IWatchOptions): Promise<void> {
  const { panel, model, kernelspecs } = options;
  const settings = await options.settings?.load(SETTINGS).catch(() => null);
  // Where a notebook opens in another browser tab, it has a panel here as well, which nobody ever sees.
  if (panel.isDisposed || !panel.isAttached) {
    return;
  }
  const isWanted = (): boolean => settings?.composite.carry_recipe !== false;
  const carried = carriedBy(panel);
  const isMissing = carried !== null && (await Private.isMissing(carried, kernelspecs));
  if (panel.isDisposed) {
    return;
  }
  // eslint-disable-next-line jupyter/require-disposable-ownership -- it lives as long as the notebook
  const keeper = new RecipeKeeper({ panel, model, kernelspecs, isWanted });
  if (carried && isMissing && !Private.wasDismissed(panel, carried)) {
    // Whatever JupyterLab has started in its place is nobody's choice.
    keeper.isHeld = true;
    await Private.offer(options, carried, keeper);
  }
}

namespace Private {
  /**
   * Whether a kernel is not here; JupyterLab asks the server about kernels but once a minute.
   */
  export async function isMissing({ kernelName }: ICarried, kernelspecs: KernelSpec.IManager): Promise<boolean> {
    await kernelspecs.ready;
    if (!kernelspecs.specs?.kernelspecs[kernelName]) {
      await kernelspecs.refreshSpecs();
    }
    return !kernelspecs.specs?.kernelspecs[kernelName];
  }

  /**
   * Show the banner until it is answered.
   */
  export async function offer(options: IWatchOptions, carried: ICarried, keeper: RecipeKeeper): Promise<void> {
    const { panel, model, kernelspecs, translator } = options;
    const parts = await fetchPart(Promise.all([import('./banner'), import('./offer')]), translator);
    if (!parts || panel.isDisposed) {
      return;
    }
    const [{ OfferBanner }, { KernelOffer }] = parts;
    const trans = translator.load('jupyter_gpu_kernels');
    const ask = async (): Promise<Job | string | null> => (await import('./dialog')).askToBuild(model, carried, trans);
    const made = new KernelOffer({ carried, panel, model, kernelspecs, ask });
    const banner = new OfferBanner(made, trans);
    made.settled.connect((_, isChanged) => {
      if (!isChanged) {
        sessionStorage.setItem(dismissal(panel, carried), 'yes');
      }
      banner.dispose();
      keeper.isHeld = false;
      // Buttons that had the focus are gone.
      panel.content.activate();
    });
    panel.contentHeader.addWidget(banner);
  }

  /** Whether the same was offered for this notebook in this browser tab, and declined. */
  export function wasDismissed(panel: NotebookPanel, carried: ICarried): boolean {
    return sessionStorage.getItem(dismissal(panel, carried)) !== null;
  }

  function dismissal(panel: NotebookPanel, { name }: ICarried): string {
    return `jupyter-gpu-kernels:declined:${panel.context.path}:${name}`;
  }
}
