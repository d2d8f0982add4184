/**
 * What the doctor has looked at, for who asks.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Diagnosis } from '../tokens';
import { sentence } from '../words';

/**
 * What the list needs.
 */
export interface IExaminedProps {
  examined: Diagnosis['examined'];
  trans: TranslationBundle;
}

/**
 * All that was looked at, what of it could not be, and why not.
 */
export function Examined({ examined, trans }: IExaminedProps): JSX.Element {
  const skipped = examined.filter(item => item.skipped);
  const looked = examined.length - skipped.length;
  return (
    <details className="jp-GpuKernels-Diagnosis-examined">
      <summary>
        {trans._n('%1 thing was looked at', '%1 things were looked at', looked)}
        {skipped.length > 0 && ` · ${trans._n('%1 was not', '%1 were not', skipped.length)}`}
      </summary>
      <ul>
        {examined.map(({ check, title, findings, skipped }) => (
          <li key={check}>
            {sentence(trans, title)}
            <span className="jp-GpuKernels-faint">
              {' · '}
              {skipped
                ? trans.__('not looked at: %1', sentence(trans, skipped))
                : findings > 0
                  ? trans._n('%1 finding', '%1 findings', findings)
                  : trans.__('in order')}
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
