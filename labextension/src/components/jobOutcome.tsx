/**
 * How a job has ended, and what to do next.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import React from 'react';

import { CommandIDs } from '../commandIds';
import { explain, type IExplanation } from '../explanation';
import type { Job, JobKind } from '../tokens';
import { outcomeWord } from '../words';
import { headline } from './benchmarkWords';
import { run } from './run';

/**
 * What the outcome of a job needs.
 */
export interface IJobOutcomeProps {
  job: Job;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * What came of a job that is over.
 */
export function JobOutcome({ job, commands, trans }: IJobOutcomeProps): JSX.Element {
  const tryAgain = () => run(commands, trans, ...Private.again(job));
  return (
    <>
      {job.state === 'failed' ? <Failure job={job} trans={trans} /> : <p>{Private.result(trans, job)}</p>}
      <div className="jp-GpuKernels-actions">
        {job.state === 'succeeded' ? (
          Private.MAKING.includes(job.kind) && (
            <Button
              className="jp-GpuKernels-button jp-mod-main"
              onClick={() => run(commands, trans, CommandIDs.openNotebook, { name: job.name })}
            >
              {trans.__('Open notebook')}
            </Button>
          )
        ) : (
          <Button className="jp-GpuKernels-button" onClick={tryAgain}>
            {trans.__('Try again')}
          </Button>
        )}
      </div>
    </>
  );
}

function Failure({ job, trans }: Pick<IJobOutcomeProps, 'job' | 'trans'>): JSX.Element {
  if (job.error === null) {
    // The reason is read a moment after the news.
    return <p>{trans.__('Reading why…')}</p>;
  }
  return <Explanation {...explain(trans, job.error)} trans={trans} />;
}

/**
 * What happened, what to do, and the evidence on demand.
 */
export function Explanation({
  message,
  cure,
  detail,
  trans
}: IExplanation & { trans: TranslationBundle }): JSX.Element {
  return (
    <>
      <p>{message}</p>
      {cure && <p className="jp-GpuKernels-cure">{cure}</p>}
      {detail && (
        <details className="jp-GpuKernels-log">
          <summary>{trans.__('Details')}</summary>
          <pre tabIndex={0} role="region" aria-label={trans.__('Details')}>
            {detail}
          </pre>
        </details>
      )}
    </>
  );
}

namespace Private {
  /** What ends with a kernel that can be used. */
  export const MAKING: readonly JobKind[] = ['create', 'rebuild', 'import', 'clone', 'rename', 'adopt'];

  /**
   * What came of a job that did not fail, in a few words: they have the room of the numbers before them. The rest is
   * said where the kernel is listed.
   */
  export function result(trans: TranslationBundle, job: Job): string {
    if (job.state === 'cancelled') {
      switch (job.kind) {
        case 'create':
        case 'import':
          return trans.__('Nothing is left of it but downloaded packages, which the next try uses.');
        default:
          return trans.__('The environment is as it was.');
      }
    }
    if (job.kind === 'benchmark' && job.benchmark) {
      return headline(trans, job.benchmark);
    }
    if (job.verification) {
      return outcomeWord(trans, job.verification.outcome);
    }
    switch (job.kind) {
      case 'create':
      case 'rebuild':
      case 'import':
      case 'clone':
      case 'adopt':
        return trans.__('The kernel is ready.');
      case 'edit':
        return trans.__('The packages are changed.');
      case 'rename':
        return trans.__('It was called %1 before.', job.source);
      case 'pack':
        return trans.__('Packed: %1', job.file);
      case 'remove':
        return trans.__('The environment is gone.');
      default:
        return '';
    }
  }

  /**
   * The command that does the same once more.
   */
  export function again(job: Job): [string, ReadonlyPartialJSONObject] {
    const ids: Record<JobKind, string> = {
      create: CommandIDs.create,
      rebuild: CommandIDs.rebuild,
      remove: CommandIDs.remove,
      verify: CommandIDs.verify,
      benchmark: CommandIDs.benchmark,
      edit: CommandIDs.packages,
      import: CommandIDs.importFile,
      clone: CommandIDs.clone,
      rename: CommandIDs.rename,
      pack: CommandIDs.share,
      adopt: CommandIDs.adopt
    };
    // The form opens with what was asked for: what failed once may want a change.
    if (job.kind === 'create' && job.spec) {
      return [ids.create, { ...job.spec }];
    }
    if (job.kind === 'import') {
      // A text that was pasted is nowhere any more.
      return [ids.import, { path: job.file }];
    }
    return [ids[job.kind], { name: subject(job), ...(job.edit && { edit: { ...job.edit } }) }];
  }

  /**
   * The environment that a job was to begin with.
   */
  function subject({ kind, name, source }: Job): string {
    return kind === 'clone' || kind === 'rename' ? source : name;
  }
}
