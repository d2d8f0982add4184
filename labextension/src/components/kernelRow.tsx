/**
 * A GPU kernel in the list.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, circleIcon, ellipsesIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { JSONExt } from '@lumino/coreutils';
import React, { memo, useId, useState } from 'react';

import { CommandIDs } from '../commandIds';
import { bytes } from '../format';
import type { Environment, JobKind } from '../tokens';
import { installerWord, variantWord } from '../words';
import { headline } from './benchmarkWords';
import { KernelDetails } from './kernelDetails';
import { openKernelMenu } from './kernelMenu';
import { type IKernelState, stateOf } from './kernelState';
import { KernelLogo } from './kernelLogo';
import { RestartNote } from './restartNote';
import { run } from './run';
import type { Running } from './runningKernels';

/**
 * What a row needs.
 */
export interface IKernelRowProps {
  environment: Environment;
  /** What people call the framework. */
  framework: string;
  logo: string;
  running: readonly Running[];
  /** What is being done to it, if anything is. */
  busy: JobKind | null;
  /** Whether JupyterLab knows the kernel. */
  isOffered: boolean;
  /** Whether there is a notebook that could use it. */
  hasNotebook: boolean;
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * A GPU kernel: what it is, how it does, and what can be done with it.
 *
 * Painted anew only when something in it has changed: a job elsewhere changes the model several times a second.
 */
export const KernelRow = memo(
  function KernelRow(props: IKernelRowProps) {
    const { environment, framework, logo, running, busy, commands, trans } = props;
    const [open, setOpen] = useState(false);
    const titleId = useId();
    const detailsId = useId();
    const state = stateOf(trans, environment, busy);
    return (
      <li className="jp-GpuKernels-kernel" aria-labelledby={titleId} aria-busy={busy !== null}>
        <KernelLogo url={logo} />
        <h3 id={titleId}>{environment.display_name || environment.name}</h3>
        <div className="jp-GpuKernels-kernelMain">
          <p className="jp-GpuKernels-faint">{Private.versions(trans, environment, framework)}</p>
          <div className="jp-GpuKernels-states">
            <Button
              className="jp-GpuKernels-state"
              minimal
              data-tone={state.tone}
              title={state.why}
              aria-expanded={open}
              aria-controls={detailsId}
              onClick={() => setOpen(!open)}
            >
              <state.icon.react tag="span" className="jp-GpuKernels-tone" />
              {state.word}
            </Button>
            <Benchmark {...props} />
            {running.length > 0 && (
              <span className="jp-GpuKernels-state jp-mod-running" title={running.map(({ path }) => path).join('\n')}>
                <circleIcon.react tag="span" className="jp-GpuKernels-tone" />
                {trans._n('%1 running', '%1 running', running.length)}
              </span>
            )}
          </div>
          <Explained environment={environment} running={running} state={state} open={open} trans={trans} />
          <Actions {...props} />
          <div id={detailsId} hidden={!open}>
            {open && <KernelDetails environment={environment} running={running} commands={commands} trans={trans} />}
          </div>
        </div>
      </li>
    );
  },
  (before, now) => Private.isSame(before, now)
);

/**
 * What the benchmark has found; before it has, the way to run it.
 */
function Benchmark({ environment, busy, isOffered, commands, trans }: IKernelRowProps): JSX.Element | null {
  if (environment.benchmark) {
    return <span className="jp-GpuKernels-state">{headline(trans, environment.benchmark)}</span>;
  }
  if (!Private.works(environment)) {
    return null;
  }
  return (
    <Button
      className="jp-GpuKernels-link"
      minimal
      disabled={busy !== null || !isOffered}
      onClick={() => run(commands, trans, CommandIDs.benchmark, { name: environment.name })}
    >
      {trans.__('Run benchmark')}
    </Button>
  );
}

interface IExplainedProps extends Pick<IKernelRowProps, 'environment' | 'running' | 'trans'> {
  state: IKernelState;
  open: boolean;
}

/**
 * Why the state is as it is: at once where something is amiss, on demand where all is well.
 */
function Explained({ environment, running, state, open, trans }: IExplainedProps): JSX.Element {
  return (
    <>
      {state.why && (open || state.cure) && <p>{state.why}</p>}
      {state.cure && <p className="jp-GpuKernels-cure">{state.cure}</p>}
      <RestartNote needed={environment.restart_needed} running={running} trans={trans} />
    </>
  );
}

function Actions(props: IKernelRowProps): JSX.Element {
  const { environment, busy, isOffered, hasNotebook, commands, trans } = props;
  const { name } = environment;
  const [menuOpen, setMenuOpen] = useState(false);
  const isFree = busy === null;
  const button = (id: string, label: string, caption: string, enabled: boolean, main = false) => (
    <Button
      className={`jp-GpuKernels-button${main ? ' jp-mod-main' : ''}`}
      title={caption}
      disabled={!enabled}
      onClick={() => run(commands, trans, id, { name })}
    >
      {label}
    </Button>
  );
  const openMenu = (event: React.MouseEvent<HTMLElement>) => {
    setMenuOpen(true);
    openKernelMenu(commands, name, event.currentTarget, () => setMenuOpen(false));
  };
  return (
    <div className="jp-GpuKernels-actions">
      {environment.damaged ? (
        button(CommandIDs.remove, trans.__('Remove…'), '', isFree)
      ) : !environment.registered ? (
        button(CommandIDs.verify, trans.__('Verify'), '', isFree)
      ) : !Private.works(environment) ? (
        <>
          {button(CommandIDs.rebuild, trans.__('Rebuild'), '', isFree)}
          {button(CommandIDs.verify, trans.__('Verify'), '', isFree)}
        </>
      ) : (
        <>
          {button(
            CommandIDs.openNotebook,
            trans.__('Open notebook'),
            isOffered ? '' : trans.__('JupyterLab does not list this kernel.'),
            isOffered && busy !== 'remove',
            true
          )}
          {button(
            CommandIDs.useInNotebook,
            trans.__('Use here'),
            hasNotebook ? trans.__('Use in current notebook') : trans.__('No notebook is open.'),
            isOffered && hasNotebook && busy !== 'remove'
          )}
        </>
      )}
      <Button
        className="jp-GpuKernels-iconButton"
        minimal
        title={trans.__('More')}
        aria-label={trans.__('More for %1', name)}
        aria-haspopup="menu"
        aria-expanded={menuOpen}
        onClick={openMenu}
      >
        <ellipsesIcon.react tag="span" />
      </Button>
    </div>
  );
}

namespace Private {
  /**
   * Whether there is anything to open a notebook with.
   */
  export function works(environment: Environment): boolean {
    return !environment.damaged && environment.registered && environment.verification?.outcome !== 'failed';
  }

  /**
   * What it is made of, and how large it is.
   */
  export function versions(trans: TranslationBundle, environment: Environment, framework: string): string {
    const { framework_version, python, cuda, disk_bytes } = environment;
    const known = !environment.damaged;
    const parts = [
      framework_version !== null && trans._p('framework and version', '%1 %2', framework, framework_version),
      python && trans.__('Python %1', python),
      cuda !== null && trans.__('CUDA %1', cuda),
      known && variantWord(trans, environment.variant),
      known && installerWord(trans, environment.installer),
      disk_bytes > 0 && bytes(disk_bytes)
    ];
    return parts.filter(Boolean).join(' · ');
  }

  /**
   * Whether a row would look the same: lists of sessions are made anew when any session changes.
   */
  export function isSame(before: IKernelRowProps, now: IKernelRowProps): boolean {
    const { running: old, ...rest } = before;
    return (
      (Object.keys(rest) as (keyof typeof rest)[]).every(key => Object.is(rest[key], now[key])) &&
      JSONExt.deepEqual([...old], [...now.running])
    );
  }
}
