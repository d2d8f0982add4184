/**
 * The variant, with what `auto` takes and why, and why others are not to be had.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Framework, Hardware, Plan, Variant } from '../tokens';
import { frameworkElsewhere, sentence, variantWord } from '../words';
import type { IFields } from './fields';
import { forecast, whyNot } from './variants';

/**
 * Properties of {@link VariantChoice}.
 */
export interface IVariantChoiceProps {
  trans: TranslationBundle;
  fields: IFields;
  /** `null` while unknown. */
  framework: Framework | null;
  /** `null` while unknown. */
  hardware: Hardware | null;
  /** The plan of what is asked for, if there is one. */
  plan: Plan | null;
  onChoose: (variant: Variant) => void;
}

/**
 * A group of radio buttons, each with a sentence.
 */
export function VariantChoice(props: IVariantChoiceProps): JSX.Element {
  const { trans, fields, framework, hardware } = props;
  const group = React.useId();
  const elsewhere = framework && hardware ? frameworkElsewhere(trans, framework, hardware) : '';
  return (
    <fieldset className="jp-GpuKernels-Form-variants">
      <legend>{trans.__('Variant')}</legend>
      {(['auto', 'gpu', 'cpu'] as const).map(variant => {
        const missing = variant === 'auto' || !framework ? '' : whyNot(trans, framework, variant);
        const said = missing || (variant === 'auto' ? chosenByItself(props) : '');
        return (
          <div key={variant}>
            <label className="jp-GpuKernels-Form-check">
              <input
                type="radio"
                name={group}
                value={variant}
                checked={fields.variant === variant}
                disabled={!!missing}
                aria-describedby={said ? `${group}-${variant}` : undefined}
                onChange={() => props.onChoose(variant)}
              />
              {variantWord(trans, variant)}
            </label>
            {said ? (
              <p id={`${group}-${variant}`} className="jp-GpuKernels-Form-hint">
                {said}
              </p>
            ) : null}
          </div>
        );
      })}
      {elsewhere ? <p className="jp-GpuKernels-Form-hint">{elsewhere}</p> : null}
    </fieldset>
  );
}

/** What `auto` takes, and why: as planned, or as far as can be told before. */
function chosenByItself({ trans, fields, framework, hardware, plan }: IVariantChoiceProps): string {
  if (plan && fields.variant === 'auto') {
    const reason = sentence(trans, plan.variant_reason);
    return trans._p('variant and reason', '%1: %2', variantWord(trans, plan.variant), reason);
  }
  if (!framework) {
    return '';
  }
  const { variant, reason } = forecast(trans, framework, fields, hardware);
  return variant ? trans._p('variant and reason', '%1: %2', variantWord(trans, variant), reason) : reason;
}
