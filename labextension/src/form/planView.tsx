/**
 * What would be built, in figures and on request package by package.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { bytes } from '../format';
import type { Plan } from '../tokens';
import { installerWord, sentence, variantWord } from '../words';

/**
 * Properties of {@link PlanView}.
 */
export interface IPlanViewProps {
  trans: TranslationBundle;
  plan: Plan;
}

/**
 * A plan that can be built.
 */
export const PlanView = React.memo(function PlanView({ trans, plan }: IPlanViewProps): JSX.Element {
  const variant = variantWord(trans, plan.variant);
  const installer = installerWord(trans, plan.installer);
  return (
    <>
      <dl className="jp-GpuKernels-Form-facts">
        {plan.framework_version ? <Fact name={trans.__('Version')} value={plan.framework_version} /> : null}
        <Fact name={trans.__('Python')} value={plan.python} />
        <Fact name={trans.__('CUDA')} value={plan.cuda ?? trans.__('none')} />
        <Fact name={trans.__('Variant')} value={variant} reason={sentence(trans, plan.variant_reason)} />
        <Fact name={trans.__('Installer')} value={installer} reason={sentence(trans, plan.installer_reason)} />
        <Fact name={trans.__('To download')} value={bytes(plan.download_bytes)} />
        <Fact name={trans.__('On disk')} value={trans.__('about %1', bytes(plan.disk_bytes))} />
        <Fact
          name={plan.installer === 'pypi' ? trans.__('Indexes') : trans.__('Channels')}
          value={plan.channels.join(', ')}
        />
      </dl>
      {plan.cuda_reason ? <p className="jp-GpuKernels-Form-hint">{sentence(trans, plan.cuda_reason)}</p> : null}
      <Warnings trans={trans} warnings={plan.warnings} />
      <Packages trans={trans} packages={plan.packages} />
    </>
  );
});

/**
 * Sentences to read before the build.
 */
export function Warnings({ trans, warnings }: { trans: TranslationBundle; warnings: string[] }): JSX.Element | null {
  return warnings.length ? (
    <ul className="jp-GpuKernels-Form-warnings" aria-label={trans.__('Warnings')}>
      {warnings.map(warning => (
        <li key={warning}>{sentence(trans, warning)}</li>
      ))}
    </ul>
  ) : null;
}

function Fact({ name, value, reason }: { name: string; value: string; reason?: string }): JSX.Element | null {
  return value ? (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {reason ? <span className="jp-GpuKernels-Form-hint"> {reason}</span> : null}
      </dd>
    </div>
  ) : null;
}

function Packages({ trans, packages }: { trans: TranslationBundle; packages: Plan['packages'] }): JSX.Element {
  // Hundreds of rows are made for those who look at them.
  const [isOpen, setOpen] = React.useState(false);
  const title = trans._n('%1 package', '%1 packages', packages.length);
  return (
    <details onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen ? (
        <div className="jp-GpuKernels-Form-packages" role="region" aria-label={title} tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">{trans.__('Name')}</th>
                <th scope="col">{trans.__('Version')}</th>
                <th scope="col">{trans.__('Build')}</th>
                <th scope="col">{trans.__('Source')}</th>
                <th scope="col">{trans.__('Size')}</th>
              </tr>
            </thead>
            <tbody>
              {packages.map(item => (
                <tr key={`${item.stage} ${item.name}`}>
                  <th scope="row">{item.name}</th>
                  <td>{item.version}</td>
                  <td>{item.build}</td>
                  <td>{item.source}</td>
                  <td>{item.size ? bytes(item.size) : ''}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </details>
  );
}
