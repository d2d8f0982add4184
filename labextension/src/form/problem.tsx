/**
 * What went wrong, with what to do next, and the evidence on request.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

/**
 * Properties of {@link Problem}.
 */
export interface IProblemProps {
  trans: TranslationBundle;
  message: string;
  cure: string;
  detail?: string;
  /** Id for `aria-describedby`. */
  id?: string;
}

/**
 * A problem, in place.
 */
export function Problem({ trans, message, cure, detail, id }: IProblemProps): JSX.Element {
  return (
    <div className="jp-GpuKernels-Form-problem">
      <p id={id}>
        <strong>{message}</strong> {cure}
      </p>
      {detail ? (
        <details>
          <summary>{trans.__('Details')}</summary>
          {/* Long lines are scrolled, by keyboard too. */}
          <pre tabIndex={0}>{detail}</pre>
        </details>
      ) : null}
    </div>
  );
}
