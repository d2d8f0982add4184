/**
 * The dialog in which a kernel is written to a file.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { Contents } from '@jupyterlab/services';
import React from 'react';

import { currentFolder, type INotebookPlaces } from '../notebooks';
import { Sheet } from '../sheet';
import type { Environment, IGpuKernels, Job } from '../tokens';
import { ShareForm } from './shareForm';

/**
 * What sharing needs.
 */
export interface IShareOptions extends INotebookPlaces {
  app: JupyterFrontEnd;
  model: IGpuKernels;
  translator: ITranslator;
}

/**
 * Write a kernel to a file, or pack it.
 *
 * @returns The job that packs it, if one has begun.
 */
export function shareKernel(options: IShareOptions, environment: Environment): Promise<Job | null> {
  const { app, model, translator } = options;
  const trans: TranslationBundle = translator.load('jupyter_gpu_kernels');
  const contents: Contents.IManager = app.serviceManager.contents;
  return Sheet.ask<Job>(trans.__('Share %1', environment.name), end => (
    <ShareForm
      environment={environment}
      model={model}
      contents={contents}
      folder={currentFolder(options)}
      trans={trans}
      onEnd={end}
    />
  ));
}
