/**
 * How the sources of packages answer.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { checkIcon, errorIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { rate, timing } from '../format';
import type { Measured } from '../tokens';
import { sentence } from '../words';
import { Section } from './section';

/**
 * What the list needs.
 */
export interface IMeasurementsProps {
  measured: readonly Measured[];
  trans: TranslationBundle;
}

/**
 * Each source, with how long it took or why it cannot be used.
 */
export function Measurements({ measured, trans }: IMeasurementsProps): JSX.Element {
  return (
    <Section title={trans.__('Measured')}>
      <table className="jp-GpuKernels-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Answers')}</th>
            <th scope="col">{trans.__('First answer')}</th>
            <th scope="col">{trans.__('Speed')}</th>
          </tr>
        </thead>
        <tbody>
          {measured.map(({ name, url, kind, reachable, error, cure, seconds, rate: speed }) => (
            <tr key={`${kind} ${name} ${url}`}>
              <th scope="row" title={url}>
                {name}
              </th>
              <td data-tone={reachable ? 'good' : 'bad'}>
                {reachable ? (
                  <checkIcon.react tag="span" className="jp-GpuKernels-tone" />
                ) : (
                  <errorIcon.react tag="span" className="jp-GpuKernels-tone" />
                )}{' '}
                {reachable
                  ? trans.__('yes')
                  : [error, cure]
                      .filter(Boolean)
                      .map(text => sentence(trans, text))
                      .join(' ')}
              </td>
              <td>{seconds === null ? '' : timing(seconds)}</td>
              <td>{speed === null ? '' : rate(speed)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
