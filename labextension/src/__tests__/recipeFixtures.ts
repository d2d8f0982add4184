/**
 * A notebook, kernelspecs and a recipe for tests of what notebooks carry.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { KernelSpec } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';

import { KEY } from '../recipes/carried';

/** What a notebook carries of its kernel. */
export const RECIPE = {
  schema_version: 1,
  name: 'TF-warp-speed',
  display_name: 'tf-warp-speed (TensorFlow 2.19 · CUDA 12.9)',
  spec: { name: 'TF-warp-speed', framework: 'tensorflow' },
  original: { framework_version: '2.19.0' }
};

/** Kernelspecs, ours by the names of their environments. */
export function specsOf(ours: Record<string, string>) {
  const kernelspecs: Record<string, object> = { python3: { metadata: {} } };
  for (const [name, environment] of Object.entries(ours)) {
    kernelspecs[name] = { metadata: { [KEY]: { environment } } };
  }
  return { kernelspecs } as unknown as KernelSpec.ISpecModels;
}

/** A notebook with a kernel. */
export function notebook(kernelName: string, metadata: Record<string, unknown> = {}) {
  const sessionContext = {
    session: { kernel: { name: kernelName } },
    kernelChanged: new Signal<object, void>({}),
    statusChanged: new Signal<object, string>({}),
    changeKernel: vi.fn(({ name }: { name: string }) => {
      sessionContext.session.kernel.name = name;
      sessionContext.kernelChanged.emit();
      return Promise.resolve();
    })
  };
  const written: unknown[] = [];
  const model = {
    dirty: false,
    collaborative: false,
    readOnly: false,
    getMetadata: (key: string) => metadata[key],
    setMetadata: (key: string, value: unknown) => {
      metadata[key] = value;
      written.push(value);
    }
  };
  const saveState = new Signal<object, string>({});
  const context = { model, saveState, contentsModel: { writable: true } };
  const panel = { context, sessionContext, disposed: new Signal<object, void>({}) } as unknown as NotebookPanel;
  return { panel, sessionContext, context, model, saveState, written };
}
