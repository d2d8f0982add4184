/**
 * Who has the memory of a GPU, and what can be done about it.
 */
import type { Kernel, Session } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { useState } from 'react';

import { memory } from '../format';
import type { GpuReading, KernelShare } from '../tokens';
import { holderName, holderState } from './gpuHolderWords';
import { hueOf, segmentsOf } from './gpuShares';
import { run } from './run';
import { confirmShutDown } from './shutDown';

/**
 * What the list of holders needs.
 */
export interface IGpuHoldersProps {
  /** `null` where the GPU does not answer. */
  reading: GpuReading | null;
  /** Who has what of this GPU. */
  shares: readonly KernelShare[];
  /** Who has what of any GPU. */
  all: readonly KernelShare[];
  /** Called when a kernel was shut down. */
  onShutDown: () => void;
  commands: CommandRegistry;
  kernels: Kernel.IManager;
  sessions: Session.IManager;
  trans: TranslationBundle;
}

/**
 * The holders of a GPU; the legend of its bar.
 */
export function GpuHolders(props: IGpuHoldersProps): JSX.Element {
  const { reading, shares, trans } = props;
  const rest = reading ? segmentsOf(reading, shares).find(({ share }) => share === null) : undefined;
  if (shares.length === 0 && !rest) {
    return (
      <p className="jp-GpuKernels-faint">
        {reading?.processes === null
          ? trans.__('Who has its memory cannot be told here.')
          : trans.__('No process uses its memory.')}
      </p>
    );
  }
  return (
    <ul>
      {shares.map(share => (
        <Holder key={`${share.kernel_id} ${share.pid}`} {...props} share={share} />
      ))}
      {rest && (
        <li className="jp-GpuKernels-holder">
          <span className="jp-GpuKernels-swatch" data-hue="none" />
          <span>{holderName(trans, null)}</span>
          <span className="jp-GpuKernels-held">{memory(rest.memory)}</span>
        </li>
      )}
    </ul>
  );
}

function Holder(props: IGpuHoldersProps & { share: KernelShare }): JSX.Element {
  const { share, shares, all, kernels, sessions, commands, trans, onShutDown } = props;
  const [ends, setEnds] = useState(false);
  const name = holderName(trans, share);
  const state = holderState(trans, share);
  const session = Private.sessionOf(sessions, share);
  const isElsewhere = !share.leased && all.some(other => other.kernel_id === share.kernel_id && other.leased);
  const shutDown = async () => {
    setEnds(true);
    const isDown = await confirmShutDown(kernels, share, trans);
    setEnds(false);
    if (isDown) {
      onShutDown();
    }
  };
  return (
    <li className="jp-GpuKernels-holder">
      <span className="jp-GpuKernels-swatch" data-hue={hueOf(share, shares) ?? 'none'} />
      {session ? (
        <Button
          className="jp-GpuKernels-path"
          minimal
          title={trans.__('Open %1', session.path)}
          onClick={() => run(commands, trans, Private.opener(session), { path: session.path })}
        >
          {name}
        </Button>
      ) : (
        <span>{name}</span>
      )}
      <span className="jp-GpuKernels-held">{share.memory === null ? '' : memory(share.memory)}</span>
      {share.kernel_id && (
        <div className="jp-GpuKernels-holderState">
          <p className="jp-GpuKernels-faint">
            {[state, isElsewhere && trans.__('was given another GPU')].filter(Boolean).join(' · ')}
          </p>
          {share.here && share.idle_since && (
            <Button
              className="jp-GpuKernels-button"
              // Disabled it would lose the focus, also to a question that is answered with no.
              aria-disabled={ends || undefined}
              aria-label={trans.__('Shut down the kernel of %1', name)}
              onClick={() => void (ends || shutDown())}
            >
              {trans.__('Shut down')}
            </Button>
          )}
        </div>
      )}
    </li>
  );
}

namespace Private {
  /**
   * The session of a kernel, if it has one here that can be opened.
   */
  export function sessionOf(sessions: Session.IManager, share: KernelShare): Session.IModel | null {
    for (const session of sessions.running()) {
      if (share.here && session.kernel?.id === share.kernel_id) {
        return session;
      }
    }
    return null;
  }

  /**
   * The command that opens a session, as JupyterLab's list of running sessions does.
   */
  export function opener({ type }: Session.IModel): string {
    return type.toLowerCase() === 'console' ? 'console:open' : 'docmanager:open';
  }
}
