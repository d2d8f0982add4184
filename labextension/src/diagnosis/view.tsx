/**
 * What the doctor has to say: findings by how much they matter, and what was looked at.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, checkIcon, copyIcon, refreshIcon } from '@jupyterlab/ui-components';
import React, { useEffect, useId, useState } from 'react';

import { Explanation } from '../components/jobOutcome';
import { useChanges } from '../components/signals';
import '../../style/panel.css';
import '../../style/diagnosis.css';
import { explain } from '../explanation';
import { moment, timing } from '../format';
import type { Diagnosis, Severity } from '../tokens';
import { severityWord } from '../words';
import { Examined } from './examined';
import type { Examination } from './examination';
import { FindingCard } from './finding';
import { asText } from './text';

/** The worst first. */
const SEVERITIES: readonly Severity[] = ['problem', 'warning', 'note'];

/** Milliseconds for which a button says that it has copied. */
const MOMENT = 3000;

/**
 * What the view needs.
 */
export interface IDiagnosisViewProps {
  examination: Examination;
  trans: TranslationBundle;
}

/**
 * The doctor's view.
 */
export function DiagnosisView({ examination, trans }: IDiagnosisViewProps): JSX.Element {
  useChanges(examination.changed);
  const { diagnosis, failure, isLooking, remedy, subject } = examination;
  const isBusy = isLooking || remedy !== null;
  return (
    <div className="jp-GpuKernels-Diagnosis" aria-busy={isBusy}>
      <header>
        <h1>
          {subject ? trans.__('Diagnosis of %1', subject) : trans.__('Diagnosis of this machine and its kernels')}
        </h1>
        <div className="jp-GpuKernels-actions">
          <Button
            className="jp-GpuKernels-button"
            // Disabled it would lose the focus.
            aria-disabled={isBusy || undefined}
            onClick={() => void (isBusy || examination.look())}
          >
            <refreshIcon.react tag="span" className="jp-GpuKernels-tone" />
            {trans.__('Look again')}
          </Button>
          {subject && (
            <Button
              className="jp-GpuKernels-button"
              disabled={remedy !== null}
              onClick={() => void examination.look('')}
            >
              {trans.__('Look at everything')}
            </Button>
          )}
          {diagnosis && <CopyButton diagnosis={diagnosis} examination={examination} trans={trans} />}
        </div>
        <p role="status" className="jp-GpuKernels-faint">
          {Private.status(trans, examination)}
        </p>
      </header>
      {failure && (
        <div role="alert" className="jp-GpuKernels-Diagnosis-failure">
          <Explanation {...explain(trans, failure.reason)} trans={trans} />
        </div>
      )}
      {diagnosis && (
        <>
          {diagnosis.findings.every(({ severity }) => severity === 'note') && (
            <p className="jp-GpuKernels-Diagnosis-well" data-tone="good">
              <checkIcon.react tag="span" className="jp-GpuKernels-tone" />
              {trans.__('Nothing is wrong.')}
            </p>
          )}
          {SEVERITIES.map(severity => (
            <Group key={severity} severity={severity} diagnosis={diagnosis} examination={examination} trans={trans} />
          ))}
          <Examined examined={diagnosis.examined} trans={trans} />
        </>
      )}
    </div>
  );
}

interface IGroupProps extends IDiagnosisViewProps {
  severity: Severity;
  diagnosis: Diagnosis;
}

function Group({ severity, diagnosis, examination, trans }: IGroupProps): JSX.Element | null {
  const id = useId();
  const findings = diagnosis.findings.filter(finding => finding.severity === severity);
  return findings.length === 0 ? null : (
    <section aria-labelledby={id}>
      <h2 id={id}>{severityWord(trans, severity)}</h2>
      <ul>
        {findings.map(finding => (
          <FindingCard
            key={`${finding.check} ${finding.subject} ${finding.sentence}`}
            finding={finding}
            examination={examination}
            trans={trans}
          />
        ))}
      </ul>
    </section>
  );
}

function CopyButton({ diagnosis, examination, trans }: IDiagnosisViewProps & { diagnosis: Diagnosis }): JSX.Element {
  const [copied, setCopied] = useState<Diagnosis | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setCopied(null), MOMENT);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => {
    Clipboard.copyToSystem(asText(diagnosis, examination.model.hardware));
    setCopied(diagnosis);
  };
  return (
    <Button
      className="jp-GpuKernels-button"
      title={trans.__('For a question in a forum, or for an issue; it names folders of yours')}
      onClick={copy}
    >
      <copyIcon.react tag="span" className="jp-GpuKernels-tone" />
      <span aria-live="polite">{copied === diagnosis ? trans.__('Copied') : trans.__('Copy as text')}</span>
    </Button>
  );
}

namespace Private {
  /**
   * What is going on, or when it was looked and for how long.
   */
  export function status(trans: TranslationBundle, { diagnosis, isLooking, remedy }: Examination): string {
    if (remedy) {
      return trans.__('Working on it…');
    }
    if (isLooking) {
      return trans.__('Looking…');
    }
    return diagnosis ? trans.__('Looked at %1, which took %2', moment(diagnosis.taken), timing(diagnosis.seconds)) : '';
  }
}
