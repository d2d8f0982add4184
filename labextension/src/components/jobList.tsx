/**
 * The jobs that somebody wants to know of.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { useCallback, useEffect, useId, useRef, useState } from 'react';

import { isFinal } from '../jobStream';
import type { IGpuKernels, Job } from '../tokens';
import { JobCard } from './jobCard';
import { Dismissed, shownJobs } from './shownJobs';

/**
 * What the list of jobs needs.
 */
export interface IJobListProps {
  jobs: readonly Job[];
  model: IGpuKernels;
  commands: CommandRegistry;
  trans: TranslationBundle;
  /** Changes whenever the panel is shown anew. */
  visit: number;
}

/**
 * The jobs; nothing where there are none.
 */
export function JobList({ jobs, model, commands, trans, visit }: IJobListProps): JSX.Element | null {
  const headingId = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  const [dismissed, setDismissed] = useState(Dismissed.load);
  const shown = shownJobs(jobs, useWitnessed(jobs, visit), dismissed);
  const over = shown.filter(isFinal);

  const dismiss = useCallback(
    (...ids: string[]) => {
      setDismissed(Dismissed.add(ids, model.jobs));
      // What had the focus is about to go; with the last job, the heading goes too.
      const section = heading.current?.closest('section');
      const stays = section?.querySelectorAll('.jp-GpuKernels-job').length !== ids.length;
      (stays ? heading.current : section?.parentElement)?.focus();
    },
    [model]
  );

  if (shown.length === 0) {
    return null;
  }
  return (
    <section className="jp-GpuKernels-section" aria-labelledby={headingId}>
      <div className="jp-GpuKernels-sectionHead">
        <h2 id={headingId} ref={heading} tabIndex={-1}>
          {trans.__('Progress')}
        </h2>
        {over.length > 1 && (
          <Button className="jp-GpuKernels-button" small onClick={() => dismiss(...over.map(({ id }) => id))}>
            {trans.__('Dismiss all')}
          </Button>
        )}
      </div>
      <ul className="jp-GpuKernels-list">
        {shown.map(job => (
          <JobCard key={job.id} job={job} model={model} commands={commands} trans={trans} onDismiss={dismiss} />
        ))}
      </ul>
    </section>
  );
}

/**
 * Ids of the jobs that were seen at work during this visit.
 */
function useWitnessed(jobs: readonly Job[], visit: number): ReadonlySet<string> {
  const seen = useRef({ visit, ids: new Set<string>() });
  if (seen.current.visit !== visit) {
    seen.current = { visit, ids: new Set() };
  }
  const { ids } = seen.current;
  useEffect(() => {
    for (const job of jobs) {
      if (!isFinal(job)) {
        ids.add(job.id);
      }
    }
  }, [jobs, ids]);
  return ids;
}
