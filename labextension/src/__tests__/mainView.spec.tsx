/**
 * A view as a dialog, where a page has one document only.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, screen } from '@testing-library/react';
import React from 'react';
import { expect, it } from 'vitest';

import { gpuKernelIcon } from '../icons';
import { openView, showOpen } from '../mainView';
import { FakeGpuKernels } from './fakes';

// Dialogs render when the browser has nothing else to do.
globalThis.requestIdleCallback ??= callback => Number(setTimeout(callback));

it('has its own keys in a dialog, which Enter does not close and Escape does', async () => {
  const place = {
    app: {} as JupyterFrontEnd,
    translator: nullTranslator,
    isSingleDocument: true,
    model: new FakeGpuKernels()
  };
  const content = (
    <>
      <input aria-label="Name" />
      <input aria-label="List" aria-expanded="true" role="combobox" aria-controls="none" />
    </>
  );
  await act(async () => {
    openView(place, { id: 'a', label: 'A', caption: '', icon: gpuKernelIcon, type: 'A', content });
    await new Promise(resolve => setTimeout(resolve, 20));
  });
  const name = await screen.findByLabelText('Name');
  expect(showOpen(place, 'a')).not.toBeNull();
  expect(showOpen(place, 'b')).toBeNull();
  const press = async (node: HTMLElement, key: string, keyCode: number): Promise<void> => {
    await act(async () => {
      fireEvent.keyDown(node, { key, keyCode });
      await new Promise(resolve => setTimeout(resolve, 20));
    });
  };
  await press(name, 'Enter', 13);
  await press(screen.getByLabelText('List'), 'Escape', 27);
  expect(name.isConnected).toBe(true);
  await press(name, 'Escape', 27);
  expect(name.isConnected).toBe(false);
  expect(showOpen(place, 'a')).toBeNull();
});
