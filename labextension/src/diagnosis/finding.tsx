/**
 * One thing that is not as it should be: what, why one can tell, and what to do.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, circleEmptyIcon, errorIcon, type LabIcon, offlineBoltIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { useChanges } from '../components/signals';
import { isFinal } from '../jobStream';
import type { Finding, Remedy, Severity } from '../tokens';
import { sentence } from '../words';
import type { Examination } from './examination';
import { remedyWord } from './remedyWord';

/**
 * What a finding needs.
 */
export interface IFindingCardProps {
  finding: Finding;
  examination: Examination;
  trans: TranslationBundle;
}

/**
 * A finding.
 */
export function FindingCard({ finding, examination, trans }: IFindingCardProps): JSX.Element {
  const { subject, evidence, remedy, link } = finding;
  const [tone, icon] = Private.look(finding.severity);
  return (
    <li className="jp-GpuKernels-Diagnosis-finding" data-tone={tone}>
      <icon.react tag="span" className="jp-GpuKernels-tone" />
      <div>
        <p>
          {subject && <strong>{subject}: </strong>}
          {sentence(trans, finding.sentence)}
        </p>
        <p className="jp-GpuKernels-cure">{sentence(trans, finding.cure)}</p>
        {(remedy || link) && (
          <div className="jp-GpuKernels-actions">
            {remedy && <Cure remedy={remedy} finding={finding} examination={examination} trans={trans} />}
            {link && (
              <a href={link} target="_blank" rel="noopener noreferrer">
                {trans.__('Read more')}
              </a>
            )}
          </div>
        )}
        {evidence.length > 0 && (
          <details>
            <summary>{trans.__('Evidence')}</summary>
            <ul>
              {evidence.map((fact, index) => (
                <li key={index}>
                  <code>{fact}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
    </li>
  );
}

function Cure({ remedy, finding, examination, trans }: IFindingCardProps & { remedy: Remedy }): JSX.Element {
  const { model } = examination;
  useChanges(model.changed);
  const names = [remedy.subject, finding.subject].map(name => name.toLowerCase());
  const isWorkedOn = model.jobs.some(job => !isFinal(job) && names.includes(job.name.toLowerCase()));
  const isBusy = examination.remedy !== null || isWorkedOn;
  const apply = async () => {
    if (isBusy) {
      return;
    }
    if (!remedy.question || (await Private.agrees(trans, remedy))) {
      await examination.apply(remedy);
    }
  };
  return (
    <Button
      className="jp-GpuKernels-button jp-mod-main"
      // Disabled it would lose the focus.
      aria-disabled={isBusy || undefined}
      onClick={() => void apply()}
    >
      {isWorkedOn ? trans.__('Being worked on…') : remedyWord(trans, remedy)}
    </Button>
  );
}

namespace Private {
  /**
   * How a finding looks, by how much it matters.
   */
  export function look(severity: Severity): [string, LabIcon] {
    const looks: Record<Severity, [string, LabIcon]> = {
      problem: ['bad', errorIcon],
      warning: ['warn', offlineBoltIcon],
      note: ['none', circleEmptyIcon]
    };
    return looks[severity] ?? looks.note;
  }

  /**
   * Ask before something is done that cannot be undone.
   */
  export async function agrees(trans: TranslationBundle, remedy: Remedy): Promise<boolean> {
    const label = remedyWord(trans, remedy);
    const { button } = await showDialog({
      title: label,
      body: sentence(trans, remedy.question),
      buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.warnButton({ label })],
      // What cannot be undone is not what Enter does.
      defaultButton: 0
    });
    return button.accept;
  }
}
