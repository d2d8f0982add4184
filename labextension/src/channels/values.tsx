/**
 * The settings in force, and who makes them.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { ConfiguredValue } from '../tokens';

import { Section } from './section';

/**
 * What the table needs.
 */
export interface IValuesProps {
  values: readonly ConfiguredValue[];
  trans: TranslationBundle;
}

/**
 * A setting a row.
 */
export function Values({ values, trans }: IValuesProps): JSX.Element {
  return (
    <Section title={trans.__('Settings, and who makes them')}>
      <div
        className="jp-GpuKernels-scroll"
        role="region"
        aria-label={trans.__('Settings, and who makes them')}
        tabIndex={0}
      >
        <table className="jp-GpuKernels-table">
          <thead>
            <tr>
              <th scope="col">{trans.__('Of')}</th>
              <th scope="col">{trans.__('Setting')}</th>
              <th scope="col">{trans.__('Value')}</th>
              <th scope="col">{trans.__('Said by')}</th>
            </tr>
          </thead>
          <tbody>
            {values.map(({ tool, key, value, source, overridden }) => (
              <tr key={`${tool} ${key} ${source}`}>
                <td>{tool === 'environment' ? trans.__('variables') : tool}</td>
                <th scope="row">{key}</th>
                <td>{value}</td>
                <td>
                  {source === 'default' ? trans.__('default') : source}
                  {overridden.length > 0 && (
                    <span className="jp-GpuKernels-faint"> {trans.__('(not heard: %1)', overridden.join(', '))}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
