/**
 * The question before an environment is removed.
 */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import '../../style/panel.css';

import { bytes } from '../format';
import type { DiskUsage, Environment } from '../tokens';

/**
 * What the question needs.
 */
export interface IRemoveOptions {
  environment: Environment;
  /** What the environment takes and what its removal frees, once measured. */
  usage: Promise<DiskUsage>;
  /** How many kernels run from it. */
  running: number;
  trans: TranslationBundle;
}

/**
 * What was answered.
 */
export interface IRemoveAnswer {
  remove: boolean;
  /** Whether its running kernels are to be shut down. */
  stopKernels: boolean;
}

/**
 * Ask whether to remove an environment; while kernels run from it, only together with them.
 */
export async function confirmRemove(options: IRemoveOptions): Promise<IRemoveAnswer> {
  const { environment, usage, running, trans } = options;
  // It may fail before anybody looks: dialogs wait for each other.
  usage.catch(() => undefined);
  const body = new Private.Body(options);
  const dialog = new Dialog({
    title: trans.__('Remove %1?', environment.name),
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.warnButton({ label: trans.__('Remove') })],
    // What cannot be undone is not what Enter does.
    defaultButton: 0
  });
  dialog.addClass('jp-GpuKernels-removeDialog');
  const { button } = await dialog.launch();
  const remove = button.accept && (running === 0 || body.stopKernels);
  return { remove, stopKernels: remove && body.stopKernels };
}

/**
 * What is lost, what stays, and what must be shut down first.
 */
export function RemoveBody(props: IRemoveOptions & { onStopKernels: (stop: boolean) => void }): JSX.Element {
  const { environment, usage, running, trans, onStopKernels } = props;
  return (
    <div className="jp-GpuKernels-question">
      <p>
        {environment.damaged
          ? trans.__('The environment and whatever is left of its kernel are removed from the server.')
          : trans.__('The environment and its kernel “%1” are removed from the server.', environment.display_name)}
      </p>
      <Freed usage={usage} known={environment.disk_bytes} trans={trans} />
      <p>{trans.__('Notebooks are not touched: they open with another kernel, or with this one built anew.')}</p>
      {running > 0 && <StopKernels running={running} trans={trans} onChange={onStopKernels} />}
    </div>
  );
}

interface IFreedProps {
  usage: Promise<DiskUsage>;
  /** What the list says that it takes; 0 for unknown. */
  known: number;
  trans: TranslationBundle;
}

function Freed({ usage, known, trans }: IFreedProps): JSX.Element {
  const [measured, setMeasured] = useState<DiskUsage | 'measuring' | 'unknown'>('measuring');
  useEffect(() => {
    let isCurrent = true;
    usage.then(
      found => isCurrent && setMeasured(found),
      // Not knowing how much it frees is no reason not to remove it.
      () => isCurrent && setMeasured('unknown')
    );
    return () => {
      isCurrent = false;
    };
  }, [usage]);

  // Two lines in any case: the buttons below must not move away from under a hand.
  return (
    <p className="jp-GpuKernels-freed" role="status">
      {measured === 'measuring' && trans.__('Measuring what that frees…')}
      {measured === 'unknown' &&
        (known > 0
          ? trans.__('It takes %1; how much of that its removal frees could not be measured.', bytes(known))
          : trans.__('How much that frees could not be measured.'))}
      {typeof measured === 'object' && Private.freed(trans, measured)}
    </p>
  );
}

/**
 * What the permission needs.
 */
export interface IStopKernelsProps {
  running: number;
  trans: TranslationBundle;
  onChange: (stop: boolean) => void;
}

/**
 * How many kernels run, and whether they may be shut down.
 */
export function StopKernels({ running, trans, onChange }: IStopKernelsProps): JSX.Element {
  const [checked, setChecked] = useState(false);
  const box = useRef<HTMLInputElement>(null);

  useEffect(() => {
    // The dialog looks whether its inputs are valid at each `input` event only, and this one is not from the start.
    box.current?.dispatchEvent(new Event('input', { bubbles: true }));
  }, [checked]);

  return (
    <>
      <p>
        {trans._n(
          '%1 kernel runs from it. Save what you need: its variables are lost when it is shut down.',
          '%1 kernels run from it. Save what you need: their variables are lost when they are shut down.',
          running
        )}
      </p>
      <label className="jp-GpuKernels-check">
        <input
          ref={box}
          type="checkbox"
          className="jp-mod-styled"
          required
          checked={checked}
          onChange={event => {
            setChecked(event.currentTarget.checked);
            onChange(event.currentTarget.checked);
          }}
        />
        {trans._n('Shut down %1 running kernel', 'Shut down %1 running kernels', running)}
      </label>
    </>
  );
}

namespace Private {
  /**
   * The body of the dialog.
   */
  export class Body extends ReactWidget {
    constructor(private readonly _options: IRemoveOptions) {
      super();
    }

    /** Whether running kernels are to be shut down. */
    stopKernels = false;

    protected override render(): JSX.Element {
      return <RemoveBody {...this._options} onStopKernels={stop => (this.stopKernels = stop)} />;
    }
  }

  /**
   * What the removal frees, and what stays.
   */
  export function freed(trans: TranslationBundle, usage: DiskUsage): string {
    const shared = usage.bytes - usage.freed_bytes;
    // Below a megabyte it is rounding, and nobody's question.
    return shared < 1e6
      ? trans.__('That frees %1.', bytes(usage.freed_bytes))
      : trans.__(
          'That frees %1. Another %2 are shared with the package cache or other environments, and stay.',
          bytes(usage.freed_bytes),
          bytes(shared)
        );
  }
}
