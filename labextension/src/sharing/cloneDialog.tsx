/**
 * The question what a copy of a kernel is to be called.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { TextField } from '../form/inputs';
import { NameField } from '../form/nameField';
import { Sheet } from '../sheet';
import type { Environment, IGpuKernels, Job } from '../tokens';
import { SheetForm, useSubmission } from './sheetForm';

/**
 * What the question needs.
 */
export interface ICloneOptions {
  environment: Environment;
  model: IGpuKernels;
  trans: TranslationBundle;
}

/**
 * Ask for a name, and begin to clone.
 *
 * @returns The job, or `null` if the person decided otherwise.
 */
export function askForClone(options: ICloneOptions): Promise<Job | null> {
  const { environment, trans } = options;
  return Sheet.ask<Job>(trans.__('Clone %1', environment.name), end => <CloneForm {...options} onEnd={end} />);
}

/**
 * The form.
 */
export function CloneForm(props: ICloneOptions & { onEnd: (job: Job | null) => void }): JSX.Element {
  const { environment, model, trans, onEnd } = props;
  const [name, setName] = useState(`${environment.name}-copy`);
  const [displayName, setDisplayName] = useState('');
  const { isBusy, failure, run } = useSubmission();
  const clone = () =>
    run(async () => {
      const body = { name: name.trim(), display_name: displayName.trim() || null };
      onEnd(await model.begin(['environments', environment.name, 'clone'], { method: 'POST', body }));
    });
  return (
    <SheetForm
      trans={trans}
      submit={trans.__('Clone')}
      isBusy={isBusy || !name.trim()}
      failure={failure}
      onSubmit={clone}
      onCancel={() => onEnd(null)}
    >
      <NameField
        trans={trans}
        model={model}
        label={trans.__('Name of the copy')}
        hint={trans.__('Of the kernel and of its environment.')}
        value={name}
        onChange={setName}
      />
      <TextField
        label={trans.__('Display name')}
        value={displayName}
        placeholder={trans.__('made from name, framework and CUDA')}
        hint={trans.__('What the Launcher and the Kernel menu show.')}
        onChange={setDisplayName}
      />
      <p className="jp-GpuKernels-Form-hint">
        {trans.__(
          'Files are shared where the file system allows it: a copy takes little room, and changes on its own.'
        )}
      </p>
    </SheetForm>
  );
}
