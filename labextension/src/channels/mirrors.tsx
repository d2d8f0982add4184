/**
 * The places that have the packages of others, and which of them is used.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';
import type { Mirror } from '../tokens';

import { Section } from './section';

/**
 * What the list needs.
 */
export interface IMirrorsProps {
  mirrors: readonly Mirror[];
  isBusy: boolean;
  trans: TranslationBundle;
  /** @param mirror - Id of the mirror to use; `null` for none. */
  onUse: (mirror: string | null) => void;
}

/**
 * The mirrors.
 */
export function Mirrors({ mirrors, isBusy, trans, onUse }: IMirrorsProps): JSX.Element {
  return (
    <Section title={trans.__('Mirrors')}>
      <p className="jp-GpuKernels-faint">
        {mirrors.length > 0
          ? trans.__('A mirror has the same packages, perhaps nearer to you. None is used unless you choose it.')
          : trans.__('None is known of.')}
      </p>
      <ul className="jp-GpuKernels-View-list">
        {mirrors.map(({ id, title, channels, index, used }) => (
          <li key={id}>
            <p>
              <strong>{title}</strong>
              {used && ` · ${trans.__('in use')}`}
            </p>
            <p className="jp-GpuKernels-faint">
              {[...channels.map(([name]) => name), index && trans.__('Python packages')].filter(Boolean).join(' · ')}
            </p>
            <div className="jp-GpuKernels-actions">
              <Button
                className="jp-GpuKernels-button"
                aria-label={used ? trans.__('Use %1 no longer', title) : trans.__('Use %1', title)}
                aria-disabled={isBusy || undefined}
                onClick={() => isBusy || onUse(used ? null : id)}
              >
                {used ? trans.__('Reset') : trans.__('Use')}
              </Button>
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}
