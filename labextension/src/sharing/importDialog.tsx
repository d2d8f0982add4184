/**
 * The dialog in which a kernel is made of a file.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ITranslator } from '@jupyterlab/translation';
import React from 'react';

import { currentFolder, type INotebookPlaces } from '../notebooks';
import { Sheet } from '../sheet';
import type { IGpuKernels, Job } from '../tokens';
import { ImportForm } from './importForm';

/**
 * What an import needs.
 */
export interface IImportOptions extends INotebookPlaces {
  app: JupyterFrontEnd;
  model: IGpuKernels;
  translator: ITranslator;
}

/**
 * Make a kernel of a file.
 *
 * @param path - A file of the server to begin with, as the file browser calls it; empty for none.
 *
 * @returns The job, or `null` if the person decided otherwise.
 */
export function importKernel(options: IImportOptions, path: string): Promise<Job | null> {
  const { app, model, translator } = options;
  const trans = translator.load('jupyter_gpu_kernels');
  const { contents } = app.serviceManager;
  return Sheet.ask<Job>(trans.__('Import a GPU kernel'), end => (
    <ImportForm
      model={model}
      contents={contents}
      folder={currentFolder(options)}
      path={contents.localPath(path)}
      trans={trans}
      onEnd={end}
    />
  ));
}
