/**
 * What browsers have and jsdom lacks, as far as the packages of JupyterLab ask for it when they are imported.
 */
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

class SilentResizeObserver implements ResizeObserver {
  observe(): void {
    // Nothing has a size in jsdom.
  }
  unobserve(): void {
    // See above.
  }
  disconnect(): void {
    // See above.
  }
}

class DragEventOfMouse extends MouseEvent implements DragEvent {
  readonly dataTransfer = null;
}

function matchNothing(media: string): MediaQueryList {
  return Object.assign(new EventTarget(), {
    matches: false,
    media,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined
  }) as MediaQueryList;
}

globalThis.ResizeObserver ??= SilentResizeObserver;
globalThis.DragEvent ??= DragEventOfMouse;
globalThis.matchMedia ??= matchNothing;
globalThis.CSS ??= { escape: (text: string) => text.replace(/[^\w-]/g, '\\$&') } as unknown as typeof CSS;

afterEach(cleanup);
