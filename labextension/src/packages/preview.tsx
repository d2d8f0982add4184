/**
 * What shall change, and what that would do.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, closeIcon } from '@jupyterlab/ui-components';
import React, { useId } from 'react';

import { explain } from '../explanation';
import { Warnings } from '../form/planView';
import { Problem } from '../form/problem';
import { bytes } from '../format';
import type { EditPlan, PackageDifference } from '../tokens';
import { sentence } from '../words';
import type { PackageDesk } from './desk';
import { type IWish, NOTHING, wishesOf } from './edit';

/**
 * What the preview needs.
 */
export interface IPreviewProps {
  desk: PackageDesk;
  trans: TranslationBundle;
}

/**
 * The wishes, their consequences, and the button that grants them.
 */
export function Preview({ desk, trans }: IPreviewProps): JSX.Element | null {
  const id = useId();
  const { edit, plan, failure, isPlanning, isApplying } = desk;
  const wishes = wishesOf(edit);
  if (wishes.length === 0 && !failure) {
    return null;
  }
  const canApply = plan !== null && !plan.plan.refusal && plan.differences.length > 0 && !isApplying;
  return (
    <section className="jp-GpuKernels-Preview" aria-labelledby={id} aria-busy={isPlanning}>
      <h2 id={id}>{trans.__('What shall change')}</h2>
      <ul className="jp-GpuKernels-Preview-wishes">
        {wishes.map(wish => (
          <li key={`${wish.kind} ${wish.text}`}>
            {Private.wishPhrase(trans, wish)}
            <Button
              className="jp-GpuKernels-iconButton"
              minimal
              aria-label={trans.__('Not that: %1', Private.wishPhrase(trans, wish))}
              title={trans.__('Not that')}
              onClick={() => void desk.unwish(wish)}
            >
              <closeIcon.react tag="span" />
            </Button>
          </li>
        ))}
      </ul>
      <p role="status" className="jp-GpuKernels-faint">
        {isPlanning ? trans.__('Finding packages that fit together…') : plan ? Private.summary(trans, plan) : ''}
      </p>
      <div role="alert">
        {failure && <Problem trans={trans} {...explain(trans, failure.reason)} />}
        {plan?.plan.refusal ? (
          <Problem
            trans={trans}
            message={sentence(trans, plan.plan.refusal.reason)}
            cure={sentence(trans, plan.plan.refusal.cure)}
            detail={plan.plan.refusal.detail}
          />
        ) : null}
      </div>
      {plan && <Warnings trans={trans} warnings={plan.plan.warnings} />}
      {plan && plan.differences.length > 0 && <Differences differences={plan.differences} trans={trans} />}
      <div className="jp-GpuKernels-actions">
        <Button
          className="jp-GpuKernels-button jp-mod-main"
          // Disabled it would lose the focus.
          aria-disabled={!canApply || undefined}
          onClick={() => void (canApply && desk.apply())}
        >
          {trans.__('Apply')}
        </Button>
        <Button className="jp-GpuKernels-button" onClick={() => void desk.change(NOTHING)}>
          {trans.__('Discard')}
        </Button>
      </div>
    </section>
  );
}

function Differences({
  differences,
  trans
}: {
  differences: readonly PackageDifference[];
  trans: TranslationBundle;
}): JSX.Element {
  const title = trans.__('What would change');
  return (
    <div className="jp-GpuKernels-Preview-differences" role="region" aria-label={title} tabIndex={0}>
      <table className="jp-GpuKernels-table">
        <thead>
          <tr>
            <th scope="col">{trans.__('Name')}</th>
            <th scope="col">{trans.__('Now')}</th>
            <th scope="col">{trans.__('Then')}</th>
            <th scope="col">{trans.__('To download')}</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ name, stage, before, after, size }) => (
            <tr key={`${stage} ${name}`}>
              <th scope="row">{name}</th>
              <td>{before ?? '–'}</td>
              <td>{after ?? trans.__('removed')}</td>
              <td>{size ? bytes(size) : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

namespace Private {
  /**
   * A wish in words.
   */
  export function wishPhrase(trans: TranslationBundle, { kind, text }: IWish): string {
    switch (kind) {
      case 'install':
        return trans.__('Add %1', text);
      case 'pip':
        return trans.__('Add %1 with pip', text);
      case 'uninstall':
        return trans.__('Remove %1', text);
      case 'update':
        return trans.__('Update %1', text);
      case null:
        return trans.__('Update all');
    }
  }

  /**
   * What a plan does, in figures.
   */
  export function summary(trans: TranslationBundle, { plan, differences }: EditPlan): string {
    if (plan.refusal) {
      return '';
    }
    if (differences.length === 0) {
      return trans.__('Nothing would change.');
    }
    const added = differences.filter(({ before }) => before === null).length;
    const removed = differences.filter(({ after }) => after === null).length;
    const changed = differences.length - added - removed;
    return [
      added && trans._n('%1 new', '%1 new', added),
      changed && trans._n('%1 changed', '%1 changed', changed),
      removed && trans._n('%1 removed', '%1 removed', removed),
      trans.__('%1 to download', bytes(plan.download_bytes))
    ]
      .filter(Boolean)
      .join(' · ');
  }
}
