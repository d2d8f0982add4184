/**
 * The question which GPUs kernels are given, and how much of their memory.
 */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import React, { useEffect, useRef, useState } from 'react';

import { GpuUseFields } from '../form/gpuUseFields';
import { flawsOf, type IGpuUse, useOf, wishesOf } from '../form/gpuUse';
import type { Environment, EnvironmentChange, Hardware } from '../tokens';

/**
 * What the question needs.
 */
export interface IChangeGpusOptions {
  environment: Environment;
  /** `null` while unknown. */
  hardware: Hardware | null;
  trans: TranslationBundle;
}

/**
 * Ask what is to be changed; `null` if all is to stay as it is.
 */
export async function askGpuUse(options: IChangeGpusOptions): Promise<EnvironmentChange | null> {
  const { environment, trans } = options;
  const body = new Private.Body(options);
  const dialog = new Dialog({
    title: trans.__('GPUs of %1', environment.name),
    body,
    buttons: [Dialog.cancelButton({ label: trans.__('Cancel') }), Dialog.okButton({ label: trans.__('Change') })],
    renderer: new Private.Renderer()
  });
  dialog.addClass('jp-GpuKernels-changeGpusDialog');
  const { button } = await dialog.launch();
  return button.accept && flawsOf(body.value).length === 0 ? wishesOf(body.value, environment.placement?.wait) : null;
}

/**
 * The fields, and from when on they count.
 */
export function ChangeGpusBody(props: IChangeGpusOptions & { onChange: (value: IGpuUse) => void }): JSX.Element {
  const { environment, hardware, trans, onChange } = props;
  const [value, setValue] = useState(() => useOf(environment));
  const change = (changed: Partial<IGpuUse>) => {
    const next = { ...value, ...changed };
    setValue(next);
    onChange(next);
  };
  const form = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The dialog looks whether its inputs are valid at each `input` event only, and this change may have brought one.
    form.current?.dispatchEvent(new Event('input', { bubbles: true }));
  }, [value]);
  return (
    <div ref={form} className="jp-GpuKernels-Form">
      <GpuUseFields trans={trans} value={value} hardware={hardware} onChange={change} />
      <p className="jp-GpuKernels-Form-hint">
        {trans.__('Kernels are given it when they start: restart those that run.')}
      </p>
    </div>
  );
}

namespace Private {
  /**
   * The body of the dialog.
   */
  export class Body extends ReactWidget {
    constructor(private readonly _options: IChangeGpusOptions) {
      super();
      this.value = useOf(_options.environment);
    }

    /** What stands in the fields. */
    value: IGpuUse;

    protected override render(): JSX.Element {
      return <ChangeGpusBody {...this._options} onChange={value => (this.value = value)} />;
    }
  }

  /**
   * Renders a body that React alone changes.
   */
  export class Renderer extends Dialog.Renderer {
    override createBody(body: Body): Body {
      // The default one moves selects into wrappers of its own, from where React cannot remove them.
      body.addClass('jp-Dialog-body');
      return body;
    }
  }
}
