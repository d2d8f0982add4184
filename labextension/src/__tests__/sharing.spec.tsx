/**
 * Files: what a kernel is written to, and what is made of one.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { Contents } from '@jupyterlab/services';
import { act, fireEvent, render, screen, waitFor } from '@testing-library/react';
import React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { isImportable } from '../sharing/importable';
import { ImportForm } from '../sharing/importForm';
import { ShareForm } from '../sharing/shareForm';
import type { ExportedFile, ImportPlan } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { trans } from './panelFixtures';
import { aJob, anEnvironment, aPlan, aSpec } from './samples';

const FILE: ExportedFile = {
  file_name: 'environment.yml',
  format: 'environment.yml',
  text: 'name: warp\n',
  warnings: ['Its GPUs are not written down.']
};

const PLAN: ImportPlan = { format: 'environment.yml', exact: false, spec: aSpec({ name: 'warp' }), plan: aPlan() };

let model: FakeGpuKernels;
let saved: [string, string][];
const onEnd = vi.fn();

/** Contents with one file in one folder. */
function someContents(): Contents.IManager {
  const files = ['environment.yml', 'notes.txt'].map(name => ({ name, path: `work/${name}`, type: 'file' }));
  return {
    localPath: (path: string) => path,
    get: () => Promise.resolve({ content: files }),
    save: (path: string, { content }: { content: string }) => {
      saved.push([path, content]);
      return Promise.resolve();
    }
  } as unknown as Contents.IManager;
}

beforeEach(() => {
  document.documentElement.lang = 'en';
  onEnd.mockReset();
  saved = [];
  model = new FakeGpuKernels();
  model.answers.ask = what => {
    switch (what) {
      case 'GET environments/tf-warp-speed/export':
        return Promise.resolve(FILE);
      case 'POST imports/plan':
        return Promise.resolve(PLAN);
      case 'POST imports':
        return Promise.resolve(aJob({ kind: 'import', name: 'warp' }));
      default:
        return Promise.resolve(aJob({ kind: 'pack' }));
    }
  };
});

function asked(what: string): unknown[] {
  return model.calls.filter(({ method }) => method === what).map(({ args }) => args[0]);
}

async function press(name: string): Promise<void> {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
    await new Promise(resolve => setTimeout(resolve));
  });
}

describe('a kernel', () => {
  const EXPORT = 'GET environments/tf-warp-speed/export';

  function show(kind: 'conda' | 'virtualenv' = 'conda'): void {
    const environment = anEnvironment({ kind });
    const contents = someContents();
    render(<ShareForm {...{ environment, model, contents, trans, onEnd }} folder="work" />);
  }

  it('is saved beside what is open, under a name that is free, and what is missing is said', async () => {
    show();
    await press('Save');
    expect(asked(EXPORT)).toEqual([{ format: 'environment.yml' }]);
    expect(saved).toEqual([['work/environment-1.yml', 'name: warp\n']]);
    screen.getByText('Saved: work/environment-1.yml');
    screen.getByText('Its GPUs are not written down.');
  });

  it('is copied, and read once', async () => {
    const copy = vi.spyOn(Clipboard, 'copyToSystem').mockReturnValue();
    show();
    await press('Copy');
    await press('Copy');
    expect(copy).toHaveBeenCalledWith('name: warp\n');
    expect(asked(EXPORT)).toHaveLength(1);
  });

  it('is locked for the platforms that are named', async () => {
    show();
    fireEvent.click(screen.getByRole('radio', { name: 'Lock file' }));
    fireEvent.change(screen.getByLabelText('Platforms'), { target: { value: 'linux-64, osx-arm64' } });
    await press('Save');
    expect(asked(EXPORT)).toEqual([{ format: 'pixi.lock', platforms: 'linux-64,osx-arm64' }]);
  });

  it('is packed by a job', async () => {
    show('virtualenv');
    fireEvent.click(screen.getByRole('radio', { name: 'Pack' }));
    await press('Pack');
    expect(asked('POST environments/tf-warp-speed/pack')).toEqual([{ path: 'work' }]);
    expect(onEnd).toHaveBeenCalledWith(expect.objectContaining({ kind: 'pack' }));
  });

  it('stays in its dialog where it cannot be written', async () => {
    model.answers.ask = () => Promise.reject(new Error('No such format.'));
    show();
    await press('Save');
    screen.getByText('No such format.');
    expect(onEnd).not.toHaveBeenCalled();
  });
});

describe('a file', () => {
  function show(path = ''): void {
    const contents = someContents();
    render(<ImportForm {...{ model, contents, path, trans, onEnd }} folder="work" />);
  }

  it('is told by its name', () => {
    const names = ['environment.yml', 'my-environment.yaml', 'pixi.lock', 'warp-explicit.txt', 'a.gpu-kernel.tar'];
    expect(names.filter(isImportable)).toEqual(names);
    expect(['notes.txt', 'a.ipynb', 'package.json'].filter(isImportable)).toEqual([]);
  });

  it('of the server is previewed, named and built', async () => {
    show('work/environment.yml');
    await screen.findByText('To be built: environment.yml');
    screen.getByText('The file says what is wanted: the packages were chosen for this machine.');
    const name = screen.getByLabelText<HTMLInputElement>('Name');
    expect(name.placeholder).toBe('warp');
    fireEvent.change(name, { target: { value: 'mine' } });
    await press('Build');
    const request = { path: 'work/environment.yml', file_name: 'environment.yml' };
    expect(asked('POST imports/plan')).toEqual([{ ...request, name: null }]);
    expect(asked('POST imports')).toEqual([{ ...request, name: 'mine' }]);
    expect(onEnd).toHaveBeenCalledWith(expect.objectContaining({ name: 'warp' }));
  });

  it('that is pasted is previewed on request, and again after a change', async () => {
    show();
    fireEvent.change(screen.getByLabelText('Or its text'), { target: { value: 'name: a' } });
    await press('Preview');
    await press('Build');
    fireEvent.change(screen.getByLabelText('Or its text'), { target: { value: 'name: b' } });
    expect(screen.queryByText('To be built: environment.yml')).toBeNull();
    screen.getByRole('button', { name: 'Preview' });
    expect(asked('POST imports/plan')).toEqual([{ text: 'name: a', file_name: '', name: null }]);
  });

  it('of this computer is read and previewed as soon as it is dropped', async () => {
    show();
    const file = new File(['@EXPLICIT'], 'explicit.txt');
    Object.assign(file, { text: () => Promise.resolve('@EXPLICIT') });
    fireEvent.drop(screen.getByLabelText('A file of this computer'), { dataTransfer: { files: [file] } });
    await waitFor(() =>
      expect(asked('POST imports/plan')).toEqual([{ text: '@EXPLICIT', file_name: 'explicit.txt', name: null }])
    );
    await screen.findByText('Read: explicit.txt');
  });

  it('that is a pack is laid beside those of the server in pieces, and previewed there', async () => {
    show();
    const name = 'warp.gpu-kernel.tar';
    const files = [new File([new Uint8Array(4 * 1024 * 1024 + 1)], name)];
    fireEvent.change(screen.getByLabelText('A file of this computer'), { target: { files } });
    await screen.findByText(`Uploading ${name}…`);
    const path = `work/${name}`;
    await screen.findByDisplayValue(path);
    await waitFor(() => expect(asked('POST imports/plan')).toEqual([{ path, file_name: name, name: null }]));
    expect(saved.map(([where, content]) => [where, content.length])).toEqual([
      [path, Math.ceil((4 * 1024 * 1024) / 3) * 4],
      [path, 4]
    ]);
  });

  it('that cannot be uploaded as a whole is not left by halves', async () => {
    const contents = { ...someContents(), save: () => Promise.reject(new Error('Full.')), delete: vi.fn() };
    contents.delete.mockResolvedValue(undefined);
    render(<ImportForm {...{ model, contents, trans, onEnd }} path="" folder="work" />);
    const files = [new File(['x'], 'warp.gpu-kernel.tar')];
    fireEvent.change(screen.getByLabelText('A file of this computer'), { target: { files } });
    await screen.findByText('Full.');
    expect(contents.delete).toHaveBeenCalledWith('work/warp.gpu-kernel.tar');
    expect(asked('POST imports/plan')).toEqual([]);
  });

  it('that is refused says why, and is not built', async () => {
    const refusal = { reason: 'It names a channel that is not allowed.', cure: 'Ask for another.', detail: '' };
    model.answers.ask = () => Promise.resolve({ ...PLAN, plan: aPlan({ refusal }) });
    show('work/environment.yml');
    await screen.findByText('It names a channel that is not allowed.');
    expect(screen.queryByLabelText('Name')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Build' })).toBeNull();
  });
});
