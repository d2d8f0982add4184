/**
 * What this machine has and what it is doing, or why it has no GPU.
 */
import type { Kernel, Session } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import React, { memo, useState } from 'react';

import { explain } from '../explanation';
import { devicesOf } from '../devices';
import type { LiveUsage } from '../liveUsage';
import type { Framework, Hardware } from '../tokens';
import { frameworkElsewhere, sentence } from '../words';
import { GpuRow } from './gpuRow';
import { useChanges } from './signals';

/**
 * What the machine's section needs.
 */
export interface IMachineProps {
  /** `null` while it is not known. */
  hardware: Hardware | null;
  usage: LiveUsage;
  /** The catalogue; empty while it is not known. */
  frameworks: readonly Framework[];
  commands: CommandRegistry;
  kernels: Kernel.IManager;
  sessions: Session.IManager;
  trans: TranslationBundle;
}

/**
 * The machine that the server runs on.
 */
export const Machine = memo(function Machine(props: IMachineProps) {
  const { hardware, trans } = props;
  return (
    <section className="jp-GpuKernels-machine" aria-label={trans.__('This machine')}>
      {hardware === null ? (
        <p>{trans.__('Looking for GPUs…')}</p>
      ) : (
        <>
          {hardware.gpus.length > 0 ? (
            <Gpus {...props} hardware={hardware} />
          ) : (
            <>
              <p>{trans.__('No GPU')}</p>
              {hardware.reason && <p>{sentence(trans, hardware.reason)}</p>}
              <p className="jp-GpuKernels-faint">
                {trans.__('Kernels compute on the CPU here; one for a GPU can be built for another machine.')}
              </p>
              {/* Without any accelerator all frameworks do what the line above says, or the form tells. */}
              {hardware.vendor !== 'none' && <Elsewhere {...props} hardware={hardware} />}
            </>
          )}
          {hardware.driver !== null && (
            <p className="jp-GpuKernels-faint">
              {hardware.cuda === null
                ? trans.__('Driver %1', hardware.driver)
                : trans.__('Driver %1 · CUDA up to %2', hardware.driver, hardware.cuda)}
            </p>
          )}
          {hardware.notes.map(note => (
            <p key={note} className="jp-GpuKernels-faint">
              {sentence(trans, note)}
            </p>
          ))}
        </>
      )}
    </section>
  );
});

/**
 * Each GPU, or each instance of one that is split: what it is doing, and on demand for whom.
 */
function Gpus(props: IMachineProps & { hardware: Hardware }): JSX.Element {
  const { hardware, usage: live, trans } = props;
  useChanges(live.changed);
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set());
  const { usage, error } = live;
  const toggle = (uuid: string) => {
    const next = new Set(open);
    if (!next.delete(uuid)) {
      next.add(uuid);
    }
    setOpen(next);
  };
  return (
    <>
      <ul className="jp-GpuKernels-gpus">
        {devicesOf(hardware).map(device => (
          <GpuRow
            key={device.uuid}
            {...props}
            device={device}
            usage={usage}
            isOpen={open.has(device.uuid)}
            onToggle={() => toggle(device.uuid)}
            onChange={() => live.refresh()}
          />
        ))}
      </ul>
      {error && (
        <p className="jp-GpuKernels-faint">
          {trans.__('What they are doing could not be read. %1', explain(trans, error).message)}
        </p>
      )}
      {usage?.notes.map(note => (
        <p key={note} className="jp-GpuKernels-faint">
          {sentence(trans, note)}
        </p>
      ))}
    </>
  );
}

/**
 * What it means for each framework that there is no NVIDIA GPU, as far as it means more than for all.
 */
function Elsewhere({ hardware, frameworks, trans }: IMachineProps & { hardware: Hardware }): JSX.Element | null {
  const said = frameworks.filter(framework => frameworkElsewhere(trans, framework, hardware));
  return said.length === 0 ? null : (
    <details className="jp-GpuKernels-elsewhere">
      <summary>{trans.__('What that means for the frameworks')}</summary>
      <dl>
        {said.map(framework => (
          <div key={framework.id}>
            <dt>{framework.title}</dt>
            <dd>{frameworkElsewhere(trans, framework, hardware)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
