/**
 * What is said of whoever has memory of a GPU.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from '../format';
import type { KernelShare } from '../tokens';

/** Below so many seconds nobody calls a kernel idle. */
const MOMENT = 60;

/**
 * What people call a holder.
 *
 * @param share - What it has; `null` for what nobody can tell.
 */
export function holderName(trans: TranslationBundle, share: KernelShare | null): string {
  if (share === null) {
    return trans.__('Not told whose');
  }
  if (share.kernel_id) {
    return share.title || share.kernel_name || share.kernel_id;
  }
  return share.pid === null ? trans.__('Another process') : trans.__('Another process (%1)', share.pid);
}

/**
 * What a kernel is and does; empty for what is no kernel.
 *
 * @param now - Milliseconds since the epoch.
 */
export function holderState(trans: TranslationBundle, share: KernelShare, now: number = Date.now()): string {
  if (!share.kernel_id) {
    return '';
  }
  const seconds = (now - new Date(share.idle_since).getTime()) / 1000;
  const parts = [
    // What has no notebook is called by its kernel already.
    share.title && share.kernel_name,
    !share.here && trans.__('kernel of another server'),
    share.idle_since && (seconds < MOMENT ? trans.__('idle') : trans.__('idle for %1', duration(seconds))),
    share.here && !share.idle_since && trans.__('at work')
  ];
  return parts.filter(Boolean).join(' · ');
}
