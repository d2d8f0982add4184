/**
 * An environment that was made elsewhere.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React, { useId, useState } from 'react';

import { Explanation } from '../components/jobOutcome';
import { explain } from '../explanation';
import { isFinal } from '../jobStream';
import { useSubmission } from '../sharing/sheetForm';
import type { AdoptionRequest, ForeignEnvironment, IGpuKernels } from '../tokens';
import { kindWord, sentence } from '../words';

/**
 * What a row needs.
 */
export interface IForeignRowProps {
  environment: ForeignEnvironment;
  model: IGpuKernels;
  trans: TranslationBundle;
  /** Called when something was done to it at once. */
  onChange: () => void;
}

/**
 * What it is, and what can be done with it, or why nothing can.
 */
export function ForeignRow({ environment, model, trans, onChange }: IForeignRowProps): JSX.Element {
  const { prefix, kind, name, python, ipykernel, kernel_name, display_name, adopted, added, obstacle } = environment;
  const id = useId();
  const [installs, setInstalls] = useState(true);
  const { isBusy, failure, run } = useSubmission();
  const isWorkedOn = isBusy || model.jobs.some(job => !isFinal(job) && job.source === prefix);
  const adopt = () =>
    run(async () => {
      const body: Partial<AdoptionRequest> = { prefix, install_ipykernel: ipykernel === null && installs };
      await model.begin(['foreign'], { method: 'POST', body });
    });
  const release = () =>
    run(async () => {
      await model.ask(['foreign'], { method: 'DELETE', query: { prefix } });
      onChange();
    });
  const parts = [
    kindWord(trans, kind),
    python && trans.__('Python %1', python),
    kernel_name && trans.__('kernel “%1”', display_name || kernel_name),
    adopted && trans.__('adopted')
  ];
  return (
    <li aria-labelledby={id}>
      <h2 id={id}>{name}</h2>
      <p className="jp-GpuKernels-faint">{prefix}</p>
      <p>{parts.filter(Boolean).join(' · ')}</p>
      {obstacle && <p className="jp-GpuKernels-cure">{sentence(trans, obstacle)}</p>}
      {added.length > 0 && (
        <p className="jp-GpuKernels-faint">
          {trans.__('Installed for it, and taken out again when it is released: %1', added.join(', '))}
        </p>
      )}
      {!adopted && !obstacle && ipykernel === null && (
        <label className="jp-GpuKernels-check">
          <input type="checkbox" checked={installs} onChange={event => setInstalls(event.target.checked)} />
          {trans.__('Install ipykernel, which it lacks')}
        </label>
      )}
      <div className="jp-GpuKernels-actions">
        {adopted ? (
          <Button
            className="jp-GpuKernels-button"
            aria-label={trans.__('Release %1', name)}
            aria-disabled={isWorkedOn || undefined}
            onClick={() => isWorkedOn || release()}
          >
            {trans.__('Release')}
          </Button>
        ) : (
          !obstacle && (
            <Button
              className="jp-GpuKernels-button jp-mod-main"
              aria-label={trans.__('Adopt %1', name)}
              aria-disabled={isWorkedOn || (ipykernel === null && !installs) || undefined}
              onClick={() => isWorkedOn || (ipykernel === null && !installs) || adopt()}
            >
              {isWorkedOn ? trans.__('Being worked on…') : trans.__('Adopt')}
            </Button>
          )
        )}
      </div>
      {failure && (
        <div role="alert" className="jp-GpuKernels-View-failure">
          <Explanation {...explain(trans, failure.reason)} trans={trans} />
        </div>
      )}
    </li>
  );
}
