/**
 * Where packages come from: what is effective, who says so, how fast it is, and what else there is.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, refreshIcon } from '@jupyterlab/ui-components';
import React, { useCallback } from 'react';

import { useAnswer } from '../components/answer';
import { Explanation } from '../components/jobOutcome';
import { explain } from '../explanation';
import { Warnings } from '../form/planView';
import type { ChannelsReport, IGpuKernels } from '../tokens';
import { Measurements } from './measurements';
import { Mirrors } from './mirrors';
import { Section } from './section';
import { Values } from './values';

/**
 * What the view needs.
 */
export interface IChannelsViewProps {
  model: IGpuKernels;
  trans: TranslationBundle;
}

/**
 * The view.
 */
export function ChannelsView({ model, trans }: IChannelsViewProps): JSX.Element {
  const read = useCallback((signal: AbortSignal) => model.ask<ChannelsReport>(['channels'], { signal }), [model]);
  const { value, failure, isAsking, ask } = useAnswer(read);
  const measure = () => ask(signal => model.ask<ChannelsReport>(['channels'], { query: { measure: 'true' }, signal }));
  const use = (mirror: string | null) => ask(() => model.ask(['channels'], { method: 'PUT', body: { mirror } }));
  const button = (label: string, action: () => void, icon = false) => (
    <Button className="jp-GpuKernels-button" aria-disabled={isAsking || undefined} onClick={() => isAsking || action()}>
      {icon && <refreshIcon.react tag="span" className="jp-GpuKernels-tone" />}
      {label}
    </Button>
  );
  return (
    <div className="jp-GpuKernels-View" aria-busy={isAsking}>
      <header>
        <h1>{trans.__('Where packages come from')}</h1>
        <div className="jp-GpuKernels-actions">
          {button(trans.__('Measure'), measure)}
          {button(trans.__('Read again'), () => ask(), true)}
        </div>
        <p role="status" className="jp-GpuKernels-faint">
          {isAsking ? trans.__('Working on it…') : ''}
        </p>
      </header>
      {failure && (
        <div role="alert" className="jp-GpuKernels-View-failure">
          <Explanation {...explain(trans, failure.reason)} trans={trans} />
        </div>
      )}
      {value && (
        <>
          <Warnings trans={trans} warnings={value.warnings} />
          <Section title={trans.__('Conda channels, in their order')}>
            {value.channels.length > 0 ? (
              <ol>
                {value.channels.map(([name, url]) => (
                  <li key={name}>
                    {name} <span className="jp-GpuKernels-faint">{url === name ? '' : url}</span>
                  </li>
                ))}
              </ol>
            ) : (
              <p>{trans.__('None is configured.')}</p>
            )}
          </Section>
          <Section title={trans.__('Indexes of Python packages')}>
            {value.indexes.length > 0 ? (
              <ol>
                {value.indexes.map(url => (
                  <li key={url}>{url}</li>
                ))}
              </ol>
            ) : (
              <p>{trans.__('The usual one.')}</p>
            )}
          </Section>
          {value.measured.length > 0 && <Measurements measured={value.measured} trans={trans} />}
          <Mirrors mirrors={value.mirrors} isBusy={isAsking} trans={trans} onUse={use} />
          <Values values={value.values} trans={trans} />
        </>
      )}
    </div>
  );
}
