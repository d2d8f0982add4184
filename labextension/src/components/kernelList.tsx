/**
 * The GPU kernels.
 */
import type { KernelSpec, Session } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { InputGroup, searchIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { useCallback, useEffect, useId, useState } from 'react';

import { CommandIDs } from '../commandIds';
import { decimal } from '../format';
import { isFinal } from '../jobStream';
import type { Environment, Framework, IGpuKernels, JobKind } from '../tokens';
import { EmptyState } from './emptyState';
import { KernelRow } from './kernelRow';
import { NOTHING_RUNS, useRunning } from './runningKernels';
import { useChanges, useReading } from './signals';

/** Up to so many kernels are seen at a glance. */
const GLANCE = 8;

/**
 * What the list of kernels needs.
 */
export interface IKernelListProps {
  model: IGpuKernels;
  commands: CommandRegistry;
  sessions: Session.IManager;
  specs: KernelSpec.IManager;
  /** The catalogue; empty while it is not known. */
  frameworks: readonly Framework[];
  trans: TranslationBundle;
}

/**
 * The GPU kernels; the first words where there is none.
 */
export function KernelList(props: IKernelListProps): JSX.Element | null {
  const { model, commands, sessions, specs, frameworks, trans } = props;
  useChanges(specs.specsChanged);
  const headingId = useId();
  const [filter, setFilter] = useState('');
  const running = useRunning(sessions);
  const hasNotebook = useHasNotebook(commands, model);
  const { environments } = model;

  // The list is read a moment after the job has ended.
  const isAwaited = useLinger(
    model.jobs.some(job => ['create', 'import'].includes(job.kind) && !isFinal(job)),
    3000
  );

  if (environments.length === 0) {
    return model.isReady && !isAwaited ? <EmptyState commands={commands} trans={trans} /> : null;
  }
  const busy = new Map<string, JobKind>();
  for (const job of model.jobs) {
    if (!isFinal(job)) {
      // Until it is renamed, it is listed by its old name.
      const name = job.kind === 'rename' ? job.source : job.name;
      busy.set(name.toLowerCase(), job.kind);
    }
  }
  // Ids are readable too.
  const title = ({ framework }: Environment) => frameworks.find(({ id }) => id === framework)?.title ?? framework;
  const shown = environments.filter(item => Private.matches(filter, item, title(item)));
  return (
    <section className="jp-GpuKernels-section" aria-labelledby={headingId}>
      <div className="jp-GpuKernels-sectionHead">
        <h2 id={headingId}>{trans.__('Kernels')}</h2>
        <span className="jp-GpuKernels-count">
          {shown.length === environments.length
            ? decimal(environments.length)
            : trans.__('%1 of %2', decimal(shown.length), decimal(environments.length))}
        </span>
      </div>
      {(environments.length > GLANCE || filter) && (
        <InputGroup
          className="jp-GpuKernels-filter"
          type="search"
          rightIcon={searchIcon}
          placeholder={trans.__('Filter')}
          aria-label={trans.__('Filter the kernels')}
          value={filter}
          onChange={event => setFilter(event.currentTarget.value)}
        />
      )}
      {shown.length === 0 && <p className="jp-GpuKernels-faint">{trans.__('No kernel matches.')}</p>}
      <ul className="jp-GpuKernels-list">
        {shown.map(environment => (
          <KernelRow
            key={environment.name}
            environment={environment}
            framework={title(environment)}
            logo={model.logoUrl(environment.framework)}
            running={running[environment.kernel_name.toLowerCase()] ?? NOTHING_RUNS}
            busy={busy.get(environment.name.toLowerCase()) ?? null}
            isOffered={Private.isOffered(specs, environment)}
            hasNotebook={hasNotebook}
            commands={commands}
            trans={trans}
          />
        ))}
      </ul>
    </section>
  );
}

/**
 * Whether there is a notebook that could use a kernel; the same for all kernels.
 */
function useHasNotebook(commands: CommandRegistry, model: IGpuKernels): boolean {
  const read = useCallback(
    () => commands.isEnabled(CommandIDs.useInNotebook, { name: model.environments[0]?.name ?? '' }),
    [commands, model]
  );
  // Commands change at every click somewhere else; the rows only when the answer does.
  useReading(commands.commandChanged, read);
  return read();
}

/**
 * Whether something holds, or did a moment ago.
 *
 * @param moment - Milliseconds.
 */
function useLinger(holds: boolean, moment: number): boolean {
  const [lingers, setLingers] = useState(holds);
  useEffect(() => {
    if (holds) {
      setLingers(true);
      return undefined;
    }
    const timer = setTimeout(() => setLingers(false), moment);
    return () => clearTimeout(timer);
  }, [holds, moment]);
  return holds || lingers;
}

namespace Private {
  /**
   * Whether a kernel is among those looked for: each word must be in its name, title or framework.
   */
  export function matches(filter: string, environment: Environment, framework: string): boolean {
    const { name, display_name } = environment;
    const text = `${name} ${display_name} ${framework}`.toLocaleLowerCase();
    return filter
      .toLocaleLowerCase()
      .split(/\s+/)
      .every(word => text.includes(word));
  }

  /**
   * Whether JupyterLab knows a kernel; one that it cannot tell of is taken as known.
   */
  export function isOffered(specs: KernelSpec.IManager, environment: Environment): boolean {
    return specs.specs === null || specs.specs.kernelspecs[environment.kernel_name] !== undefined;
  }
}
