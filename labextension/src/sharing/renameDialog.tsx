/**
 * The question what a kernel is to be called, and how it is to be shown.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';

import { StopKernels } from '../components/removeDialog';
import { TextField } from '../form/inputs';
import { NameField } from '../form/nameField';
import { Sheet } from '../sheet';
import type { Environment, IGpuKernels, Job } from '../tokens';
import { SheetForm, useSubmission } from './sheetForm';

/**
 * What the question needs.
 */
export interface IRenameOptions {
  environment: Environment;
  model: IGpuKernels;
  /** How many kernels run from it. */
  running: number;
  trans: TranslationBundle;
}

/**
 * Ask for names, and give them.
 *
 * @returns The job, where one is needed.
 */
export function askNewName(options: IRenameOptions): Promise<Job | null> {
  const { environment, trans } = options;
  return Sheet.ask<Job>(trans.__('Rename %1', environment.name), end => <RenameForm {...options} onEnd={end} />);
}

/**
 * The form.
 */
export function RenameForm(props: IRenameOptions & { onEnd: (job: Job | null) => void }): JSX.Element {
  const { environment, model, running, trans, onEnd } = props;
  const [displayName, setDisplayName] = useState(environment.display_name);
  const [name, setName] = useState(environment.name);
  const [stops, setStops] = useState(false);
  const { isBusy, failure, run } = useSubmission();
  const [shown, wanted] = [displayName.trim(), name.trim()];
  const moves = wanted !== environment.name;
  const rename = () =>
    run(async () => {
      if (shown !== environment.display_name) {
        await model.change(environment.name, { display_name: shown });
      }
      const path = ['environments', environment.name, 'rename'];
      const query = { stop_kernels: String(stops) };
      onEnd(moves ? await model.begin(path, { method: 'POST', body: { name: wanted }, query }) : null);
    });
  return (
    <SheetForm
      trans={trans}
      submit={trans.__('Rename')}
      isBusy={isBusy || !wanted || !shown || (moves && running > 0 && !stops)}
      failure={failure}
      onSubmit={rename}
      onCancel={() => onEnd(null)}
    >
      <TextField
        label={trans.__('Name shown in the Launcher and in notebooks')}
        value={displayName}
        onChange={setDisplayName}
      />
      <NameField
        trans={trans}
        model={model}
        label={trans.__('Name')}
        hint={trans.__(
          'Of the kernel and of its environment; notebooks that ask for it by its old one are asked about.'
        )}
        value={name}
        own={environment.name}
        onChange={setName}
      />
      {moves && running > 0 ? <StopKernels running={running} trans={trans} onChange={setStops} /> : null}
    </SheetForm>
  );
}
