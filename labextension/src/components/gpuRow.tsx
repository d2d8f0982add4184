/**
 * A GPU at work: how busy it is, how much of its memory is in use, and on demand by whom.
 *
 * Its lines have their place before anything was read, so that nothing below moves then.
 */
import type { Kernel, Session } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React, { useId, useRef } from 'react';

import type { IDevice } from '../devices';
import { gibibytes, memory, percent } from '../format';
import type { GpuUsage, KernelShare } from '../tokens';
import { GpuHolders } from './gpuHolders';
import { holderName } from './gpuHolderWords';
import { segmentsOf } from './gpuShares';

/**
 * What a GPU's row needs.
 */
export interface IGpuRowProps {
  device: IDevice;
  /** `null` before it was read. */
  usage: GpuUsage | null;
  /** Whether it is seen who has it. */
  isOpen: boolean;
  onToggle: () => void;
  /** Called when something was done that changes what is shown. */
  onChange: () => void;
  commands: CommandRegistry;
  kernels: Kernel.IManager;
  sessions: Session.IManager;
  trans: TranslationBundle;
}

/**
 * A GPU, or an instance of one.
 */
export function GpuRow(props: IGpuRowProps): JSX.Element {
  const { device, usage, isOpen, onToggle, onChange, trans } = props;
  const holdersId = useId();
  const button = useRef<HTMLDivElement>(null);
  const reading = usage?.readings.find(({ uuid }) => uuid === device.uuid) ?? null;
  const shares = usage?.shares.filter(({ gpu }) => gpu === device.uuid) ?? [];
  const isTold = reading === null || reading.utilization !== null;
  return (
    <li className="jp-GpuKernels-gpu" data-utilization={isTold ? 'told' : 'untold'}>
      <div ref={button}>
        <Button
          className="jp-GpuKernels-gpuName"
          minimal
          title={trans.__('Who has its memory')}
          aria-expanded={isOpen}
          aria-controls={holdersId}
          onClick={onToggle}
        >
          {device.name}
        </Button>
      </div>
      {usage && !reading ? (
        <p className="jp-GpuKernels-faint">{trans.__('It does not answer.')}</p>
      ) : (
        <>
          {isTold && (
            <Meter
              label={trans.__('Computing on %1', device.name)}
              share={reading && (reading.utilization ?? 0) / 100}
              text={reading ? trans.__('%1 busy', percent((reading.utilization ?? 0) / 100)) : ''}
            />
          )}
          {/* One that shares the processor's memory tells of none. */}
          {(reading?.memory_total ?? device.memory) > 0 && (
            <Meter
              label={trans.__('Memory of %1', device.name)}
              share={reading && reading.memory_used !== null ? reading.memory_used / reading.memory_total : null}
              text={
                reading && reading.memory_used !== null
                  ? trans.__('%1 of %2', gibibytes(reading.memory_used), memory(reading.memory_total))
                  : memory(device.memory)
              }
              parts={reading ? Private.parts(trans, reading.memory_total, segmentsOf(reading, shares)) : []}
            />
          )}
        </>
      )}
      <div id={holdersId} className="jp-GpuKernels-holders" hidden={!isOpen}>
        {/* Of one that does not answer nothing is known. */}
        {isOpen && (reading || shares.length > 0) && (
          <GpuHolders
            {...props}
            reading={reading}
            shares={shares}
            all={usage?.shares ?? []}
            onShutDown={() => {
              onChange();
              // The button that had the focus goes with the kernel.
              button.current?.querySelector('button')?.focus();
            }}
          />
        )}
      </div>
    </li>
  );
}

interface IMeterProps {
  label: string;
  /** `null` while it is not known. */
  share: number | null;
  text: string;
  /** What the bar is made of; by default it is one. */
  parts?: IPart[];
}

interface IPart {
  share: number;
  hue: number | null;
  title: string;
}

function Meter({ label, share, text, parts }: IMeterProps): JSX.Element {
  const values =
    share === null
      ? { 'aria-hidden': true }
      : {
          role: 'meter',
          'aria-label': label,
          'aria-valuemin': 0,
          'aria-valuemax': 100,
          'aria-valuenow': Math.min(100, Math.floor(share * 100)),
          'aria-valuetext': text
        };
  return (
    <div className="jp-GpuKernels-meter" title={share === null ? undefined : label}>
      <div className="jp-GpuKernels-track" {...values}>
        {(parts ?? [{ share: share ?? 0, hue: 0, title: '' }]).map(({ share, hue, title }, index) => (
          <div
            key={index}
            data-hue={hue ?? 'none'}
            title={title || undefined}
            style={{ width: `${Math.min(100, share * 100)}%` }}
          />
        ))}
      </div>
      {/* The meter has said it. */}
      <span aria-hidden={share !== null}>{text}</span>
    </div>
  );
}

namespace Private {
  /**
   * The parts of the bar of a GPU's memory.
   */
  export function parts(
    trans: TranslationBundle,
    total: number,
    segments: readonly { share: KernelShare | null; memory: number; hue: number | null }[]
  ): IPart[] {
    return segments.map(({ share, memory: held, hue }) => ({
      share: held / total,
      hue,
      title: trans._p('whose and how much', '%1: %2', holderName(trans, share), memory(held))
    }));
  }
}
