/**
 * A small form in a dialog: its fields, its buttons, and what went wrong.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef, useState } from 'react';

import { explain } from '../explanation';
import { Problem } from '../form/problem';

/**
 * What the form needs.
 */
export interface ISheetFormProps {
  trans: TranslationBundle;
  /** What its button says that does it; none where there is nothing to be done. */
  submit?: string;
  /** Whether that cannot be done now. */
  isBusy?: boolean;
  /** What is going on. */
  status?: string;
  failure?: { reason: unknown } | null;
  /** What its other button says. */
  cancel?: string;
  onSubmit: () => void;
  onCancel: () => void;
}

/**
 * A form with its buttons.
 */
export function SheetForm(props: React.PropsWithChildren<ISheetFormProps>): JSX.Element {
  const { trans, submit, isBusy, status, failure, cancel, onSubmit, onCancel, children } = props;
  return (
    <form
      className="jp-GpuKernels-Form"
      noValidate
      onSubmit={event => {
        event.preventDefault();
        if (!isBusy) {
          onSubmit();
        }
      }}
    >
      {children}
      <div role="alert">{failure ? <Problem trans={trans} {...explain(trans, failure.reason)} /> : null}</div>
      <div className="jp-GpuKernels-Sheet-footer">
        <span role="status">{status}</span>
        <button type="button" className="jp-Dialog-button jp-mod-reject jp-mod-styled" onClick={onCancel}>
          {cancel ?? trans.__('Cancel')}
        </button>
        {submit ? (
          // Disabled it would lose the focus.
          <button
            type="submit"
            className="jp-Dialog-button jp-mod-accept jp-mod-styled"
            aria-disabled={isBusy || undefined}
          >
            {submit}
          </button>
        ) : null}
      </div>
    </form>
  );
}

/**
 * Something that is done once, unless it fails.
 */
export interface ISubmission {
  isBusy: boolean;
  failure: { reason: unknown } | null;
  run: (action: () => Promise<void>) => void;
}

/**
 * Do something, and keep what went wrong.
 */
export function useSubmission(): ISubmission {
  const [isBusy, setBusy] = useState(false);
  const [failure, setFailure] = useState<{ reason: unknown } | null>(null);
  const isThere = useRef(true);
  useEffect(() => {
    isThere.current = true;
    return () => {
      isThere.current = false;
    };
  }, []);
  const run = (action: () => Promise<void>): void => {
    setBusy(true);
    setFailure(null);
    action()
      .catch((reason: unknown) => isThere.current && setFailure({ reason }))
      .finally(() => isThere.current && setBusy(false));
  };
  return { isBusy, failure, run };
}
