/**
 * The packages that there are.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, HTMLSelect, InputGroup, searchIcon } from '@jupyterlab/ui-components';
import React, { memo, useDeferredValue, useId, useMemo, useState } from 'react';

import { bytes, decimal } from '../format';
import type { InstalledPackage, PackageOrigin } from '../tokens';
import { originWord } from '../words';
import type { IWish } from './edit';

/** In the order of how much they are their user's. */
const ORIGINS: readonly PackageOrigin[] = ['asked', 'outside', 'framework', 'companion', 'dependency'];

/** What can be taken out: what somebody wanted. */
const REMOVABLE: readonly PackageOrigin[] = ['asked', 'outside'];

/**
 * What the table needs.
 */
export interface IPackageTableProps {
  packages: readonly InstalledPackage[];
  trans: TranslationBundle;
  /** Whether nothing can be wished just now. */
  isBusy: boolean;
  onWish: (wish: IWish) => void;
}

/**
 * A table that can be filtered.
 */
export function PackageTable(props: IPackageTableProps): JSX.Element {
  const { packages, trans } = props;
  const headingId = useId();
  const [filter, setFilter] = useState('');
  const [origin, setOrigin] = useState('');
  // The field answers at once, hundreds of rows a moment later.
  const wanted = useDeferredValue(filter);
  const shown = useMemo(
    () => packages.filter(item => (!origin || item.origin === origin) && Private.matches(wanted, item)),
    [packages, origin, wanted]
  );
  return (
    <section className="jp-GpuKernels-Packages" aria-labelledby={headingId}>
      <h2 id={headingId}>{trans.__('Installed')}</h2>
      <div className="jp-GpuKernels-Packages-filters">
        <InputGroup
          type="search"
          rightIcon={searchIcon}
          placeholder={trans.__('Filter')}
          aria-label={trans.__('Filter the packages')}
          value={filter}
          onChange={event => setFilter(event.currentTarget.value)}
        />
        <HTMLSelect
          aria-label={trans.__('Why they are there')}
          value={origin}
          onChange={event => setOrigin(event.target.value)}
        >
          <option value="">{trans._p('packages', 'All')}</option>
          {ORIGINS.map(item => (
            <option key={item} value={item}>
              {originWord(trans, item)}
            </option>
          ))}
        </HTMLSelect>
        <span className="jp-GpuKernels-count" role="status">
          {shown.length === packages.length
            ? trans._n('%1 package', '%1 packages', packages.length)
            : trans.__('%1 of %2', decimal(shown.length), decimal(packages.length))}
        </span>
      </div>
      <Rows {...props} packages={shown} />
    </section>
  );
}

/** Painted anew only when the rows are others: the rest changes at every key. */
const Rows = memo(function Rows({ packages, trans, isBusy, onWish }: IPackageTableProps): JSX.Element {
  if (packages.length === 0) {
    return <p className="jp-GpuKernels-faint">{trans.__('No package matches.')}</p>;
  }
  return (
    <table className="jp-GpuKernels-table">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('Version')}</th>
          <th scope="col">{trans.__('Why')}</th>
          <th scope="col">{trans.__('Source')}</th>
          <th scope="col">{trans.__('Size')}</th>
          <th scope="col">
            <span className="jp-GpuKernels-unseen">{trans.__('Actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {packages.map(item => (
          <tr key={`${item.stage} ${item.name}`}>
            <th scope="row" title={item.source}>
              {item.name}
            </th>
            <td title={item.build}>{item.version}</td>
            <td>{originWord(trans, item.origin)}</td>
            <td>{item.source}</td>
            <td>{item.size ? bytes(item.size) : ''}</td>
            <td>
              <div className="jp-GpuKernels-actions">
                <Button
                  className="jp-GpuKernels-link"
                  minimal
                  aria-disabled={isBusy || undefined}
                  aria-label={trans.__('Update %1', item.name)}
                  onClick={() => isBusy || onWish({ kind: 'update', text: item.name })}
                >
                  {trans.__('Update')}
                </Button>
                {REMOVABLE.includes(item.origin) && (
                  <Button
                    className="jp-GpuKernels-link"
                    minimal
                    aria-disabled={isBusy || undefined}
                    aria-label={trans.__('Remove %1', item.name)}
                    onClick={() => isBusy || onWish({ kind: 'uninstall', text: item.name })}
                  >
                    {trans.__('Remove')}
                  </Button>
                )}
              </div>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
});

namespace Private {
  /**
   * Whether a package is among those looked for: each word must be in its name, version or source.
   */
  export function matches(filter: string, { name, version, source }: InstalledPackage): boolean {
    const text = `${name} ${version} ${source}`.toLowerCase();
    return filter
      .toLowerCase()
      .split(/\s+/)
      .every(word => text.includes(word));
  }
}
