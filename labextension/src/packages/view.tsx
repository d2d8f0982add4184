/**
 * The packages of an environment: what there is, what can be added, and what shall change.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { useCallback } from 'react';

import { JobList } from '../components/jobList';
import { Explanation } from '../components/jobOutcome';
import { useKeptFocus } from '../components/keptFocus';
import { RestartNote } from '../components/restartNote';
import { useChanges } from '../components/signals';
import { explain } from '../explanation';
import { isFinal } from '../jobStream';
import type { PackageDesk } from './desk';
import { type IWish, UPDATE_ALL } from './edit';
import { Finder } from './finder';
import { Preview } from './preview';
import { PackageTable } from './table';

/**
 * What the view needs.
 */
export interface IPackagesViewProps {
  desk: PackageDesk;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * The packages.
 */
export function PackagesView({ desk, commands, trans }: IPackagesViewProps): JSX.Element {
  const { model, name, environment, installed, readFailure } = desk;
  useChanges(desk.changed);
  useChanges(model.changed);
  const jobs = model.jobs.filter(job => job.name === name && job.kind === 'edit');
  const isBusy = desk.isApplying || model.jobs.some(job => job.name === name && !isFinal(job));
  const wish = useCallback((wish: IWish) => void desk.wish(wish), [desk]);
  const kept = useKeptFocus();
  return (
    <div className="jp-GpuKernels-View" {...kept}>
      <header>
        <h1>{trans.__('Packages of %1', name)}</h1>
        <div className="jp-GpuKernels-actions">
          <Button
            className="jp-GpuKernels-button"
            aria-disabled={isBusy || installed === null || undefined}
            onClick={() => isBusy || installed === null || wish(UPDATE_ALL)}
          >
            {trans.__('Update all')}
          </Button>
          <Button
            className="jp-GpuKernels-button"
            aria-disabled={desk.isReading || undefined}
            onClick={() => void (desk.isReading || desk.read())}
          >
            <refreshIcon.react tag="span" className="jp-GpuKernels-tone" />
            {trans.__('Read again')}
          </Button>
        </div>
        <p role="status" className="jp-GpuKernels-faint">
          {desk.isReading ? trans.__('Reading the packages…') : ''}
        </p>
      </header>
      {environment && <RestartNote needed={environment.restart_needed} running={[]} trans={trans} />}
      {readFailure && (
        <div role="alert" className="jp-GpuKernels-View-failure">
          <Explanation {...explain(trans, readFailure.reason)} trans={trans} />
        </div>
      )}
      <JobList jobs={jobs} model={model} commands={commands} trans={trans} visit={0} />
      {installed && (
        <>
          {!isBusy && (
            <Finder
              model={model}
              environment={name}
              isConda={environment?.kind !== 'virtualenv'}
              trans={trans}
              onWish={wish}
            />
          )}
          <Preview desk={desk} trans={trans} />
          <PackageTable packages={installed} isBusy={isBusy} trans={trans} onWish={wish} />
        </>
      )}
    </div>
  );
}
