/**
 * The frameworks as cards, of which one is chosen.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { explain } from '../explanation';
import type { Framework } from '../tokens';
import { frameworkLegacy, frameworkSummary } from '../words';
import { Problem } from './problem';

/**
 * Properties of {@link FrameworkCards}.
 */
export interface IFrameworkCardsProps {
  trans: TranslationBundle;
  /** `null` while unknown. */
  frameworks: readonly Framework[] | null;
  failure: { reason: unknown } | null;
  /** Id of the chosen one. */
  chosen: string;
  logoUrl: (framework: string) => string;
  onChoose: (framework: string) => void;
  onRetry: () => void;
}

/**
 * A group of radio buttons, in the look of cards.
 */
export function FrameworkCards(props: IFrameworkCardsProps): JSX.Element {
  const { trans, frameworks, failure, chosen } = props;
  const group = React.useId();
  const legacy = frameworks?.find(({ id, legacy }) => id === chosen && legacy);
  const groupRef = React.useRef<HTMLFieldSetElement>(null);
  React.useEffect(() => {
    const { current } = groupRef;
    const { activeElement } = document;
    // The form begins here, unless the person is in another field of it already.
    if (current && (activeElement === current || !current.form?.contains(activeElement))) {
      current.querySelector<HTMLElement>('input:checked')?.focus();
    }
  }, [frameworks]);
  return (
    <fieldset ref={groupRef} tabIndex={-1} className="jp-GpuKernels-Form-frameworks">
      <legend>{trans.__('Framework')}</legend>
      {failure ? (
        <div className="jp-GpuKernels-Form-failure" role="alert">
          <Problem trans={trans} {...explain(trans, failure.reason)} />
          <Button type="button" className="jp-mod-styled" onClick={props.onRetry}>
            {trans.__('Try again')}
          </Button>
        </div>
      ) : frameworks ? (
        <div className="jp-GpuKernels-Form-cards">
          {frameworks.map(framework => (
            <Card key={framework.id} {...props} group={group} framework={framework} />
          ))}
        </div>
      ) : (
        <p role="status">{trans.__('Reading the catalogue…')}</p>
      )}
      {legacy ? (
        <p id={`${group}-legacy`} className="jp-GpuKernels-Form-note">
          {frameworkLegacy(trans, legacy)}
        </p>
      ) : null}
    </fieldset>
  );
}

function Card(props: IFrameworkCardsProps & { group: string; framework: Framework }): JSX.Element {
  const { trans, group, framework, chosen } = props;
  const id = `${group}-${framework.id}`;
  const isChosen = framework.id === chosen;
  const describedBy = [`${id}-summary`, ...(isChosen && framework.legacy ? [`${group}-legacy`] : [])];
  return (
    <label className="jp-GpuKernels-Form-card">
      <input
        type="radio"
        className="jp-GpuKernels-Form-hidden"
        name={group}
        value={framework.id}
        checked={isChosen}
        aria-labelledby={`${id}-title`}
        aria-describedby={describedBy.join(' ')}
        onChange={() => props.onChoose(framework.id)}
      />
      <span className="jp-GpuKernels-Form-cardFace">
        <img src={props.logoUrl(framework.id)} alt="" width={32} height={32} />
        <span className="jp-GpuKernels-Form-cardTitle" id={`${id}-title`}>
          {framework.title}
          {framework.legacy ? (
            <span className="jp-GpuKernels-Form-legacy" title={frameworkLegacy(trans, framework)}>
              {trans._p('framework', 'legacy')}
            </span>
          ) : null}
        </span>
        <span className="jp-GpuKernels-Form-cardSummary" id={`${id}-summary`}>
          {frameworkSummary(trans, framework)}
        </span>
      </span>
    </label>
  );
}
