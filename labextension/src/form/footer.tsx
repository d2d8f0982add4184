/**
 * The buttons of the dialog, and what is being done just now.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { duration } from '../format';
import type { FormController } from './controller';
import { primaryAction } from './state';

/**
 * Properties of {@link FormFooter}.
 */
export interface IFormFooterProps {
  trans: TranslationBundle;
  controller: FormController;
  /** Id of the form that the primary button submits. */
  form: string;
  onCancel: () => void;
}

/**
 * The footer, as long as the dialog lives.
 */
export function FormFooter(props: IFormFooterProps): JSX.Element {
  return <UseSignal signal={props.controller.changed}>{() => <Buttons {...props} />}</UseSignal>;
}

function Buttons({ trans, controller, form, onCancel }: IFormFooterProps): JSX.Element {
  const { state } = controller;
  const { phase } = state;
  const primaryRef = React.useRef<HTMLButtonElement>(null);
  return (
    <>
      <div className="jp-GpuKernels-Form-status">
        <span role="status">
          {phase === 'solving'
            ? trans.__('Finding packages that fit together…')
            : phase === 'creating'
              ? trans.__('Beginning to build…')
              : ''}
        </span>
        {phase === 'solving' ? (
          <>
            <Elapsed />
            <button
              type="button"
              className="jp-Dialog-button jp-mod-styled"
              onClick={() => {
                controller.stop();
                // The button goes away, the focus must not go with it.
                primaryRef.current?.focus();
              }}
            >
              {trans.__('Stop')}
            </button>
          </>
        ) : null}
      </div>
      <div className="jp-Dialog-footerButtons">
        <button type="button" className="jp-Dialog-button jp-mod-reject jp-mod-styled" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        {/* Not disabled while at work: a disabled button loses the focus. */}
        <button
          ref={primaryRef}
          type="submit"
          form={form}
          className="jp-Dialog-button jp-mod-accept jp-mod-styled"
          aria-disabled={phase === 'editing' ? undefined : true}
        >
          {primaryAction(state) === 'create' ? trans.__('Create') : trans.__('Preview')}
        </button>
      </div>
    </>
  );
}

/** How long it has taken since it was first shown; not for the live region, which would speak every second. */
function Elapsed(): JSX.Element {
  const [since] = React.useState(() => Date.now());
  const [now, setNow] = React.useState(since);
  React.useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span role="timer">{duration((now - since) / 1000)}</span>;
}
