/**
 * What can be added to a framework.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Framework } from '../tokens';
import { sentence } from '../words';
import { CheckField } from './inputs';

/**
 * Properties of {@link Extras}.
 */
export interface IExtrasProps {
  trans: TranslationBundle;
  /** `null` while unknown. */
  framework: Framework | null;
  /** Ids of those that are wanted. */
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

/**
 * A check box for each; nothing where there are none.
 */
export function Extras({ trans, framework, chosen, onChange }: IExtrasProps): JSX.Element | null {
  const extras = framework?.extras ?? [];
  return extras.length ? (
    <fieldset>
      <legend>{trans.__('Extras')}</legend>
      {extras.map(({ id, title, description }) => (
        <CheckField
          key={id}
          label={title}
          hint={description && sentence(trans, description)}
          value={chosen.includes(id)}
          onChange={wanted => onChange(wanted ? [...chosen, id] : chosen.filter(other => other !== id))}
        />
      ))}
    </fieldset>
  ) : null;
}
