/**
 * All that is known of a GPU kernel, for who asks.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import React from 'react';

import { CommandIDs } from '../commandIds';
import { ago, duration, factor, moment, timing } from '../format';
import type { BenchmarkResult, Environment } from '../tokens';
import { deviceWord, kindWord, sentence, workloadWord } from '../words';
import { memoryPhrase, placementPhrase } from './gpuUseWords';
import { run } from './run';
import type { Running } from './runningKernels';

/**
 * What the details need.
 */
export interface IKernelDetailsProps {
  environment: Environment;
  running: readonly Running[];
  commands: CommandRegistry;
  trans: TranslationBundle;
}

/**
 * The details of a GPU kernel.
 */
export function KernelDetails({ environment, running, commands, trans }: IKernelDetailsProps): JSX.Element {
  const { verification, benchmark } = environment;
  return (
    <div className="jp-GpuKernels-details">
      <dl>
        {verification && (
          <>
            <Fact name={trans.__('Verified')}>
              <time dateTime={verification.checked} title={moment(verification.checked)}>
                {ago(verification.checked)}
              </time>
              {verification.seconds > 0 && ` (${duration(verification.seconds)})`}
            </Fact>
            {verification.devices.length > 0 && <Fact name={trans.__('Sees')}>{verification.devices.join(', ')}</Fact>}
            {verification.built_with_cuda && (
              <Fact name={trans.__('Built with')}>{trans.__('CUDA %1', verification.built_with_cuda)}</Fact>
            )}
          </>
        )}
        {running.length > 0 && (
          <Fact name={trans.__('Running')}>
            <ul>
              {running.map(({ name, path, kernel }) => (
                <li key={kernel + path} title={path}>
                  {name}
                </li>
              ))}
            </ul>
          </Fact>
        )}
        {!environment.damaged && (
          <>
            <Fact name={trans.__('GPUs')}>
              {placementPhrase(trans, environment)}{' '}
              <Button
                className="jp-GpuKernels-link"
                minimal
                title={trans.__('Change which GPUs its kernels are given, and how much of their memory')}
                onClick={() => run(commands, trans, CommandIDs.changeGpus, { name: environment.name })}
              >
                {trans.__('Change…')}
              </Button>
            </Fact>
            <Fact name={trans.__('GPU memory')}>{memoryPhrase(trans, environment)}</Fact>
          </>
        )}
        <Fact name={trans.__('Name')}>{environment.name}</Fact>
        <Fact name={trans.__('Place')}>
          {environment.prefix}
          {!environment.damaged && ` (${kindWord(trans, environment.kind)})`}
        </Fact>
        {environment.created && (
          <Fact name={trans.__('Built')}>
            <time dateTime={environment.created}>{moment(environment.created)}</time>
          </Fact>
        )}
      </dl>
      {benchmark && <Timings benchmark={benchmark} trans={trans} />}
    </div>
  );
}

function Fact({ name, children }: React.PropsWithChildren<{ name: string }>): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Timings({ benchmark, trans }: { benchmark: BenchmarkResult; trans: TranslationBundle }): JSX.Element {
  const workloads = [...new Set(benchmark.timings.map(({ workload }) => workload))];
  return (
    <>
      <h4>
        {trans.__('Benchmark of %1', benchmark.framework)}{' '}
        <time dateTime={benchmark.finished} title={moment(benchmark.finished)} className="jp-GpuKernels-faint">
          {ago(benchmark.finished)}
        </time>
      </h4>
      <dl>
        {workloads.map(workload => (
          <Fact key={workload} name={workloadWord(trans, workload)}>
            {Private.timings(trans, benchmark, workload)}
          </Fact>
        ))}
      </dl>
      {benchmark.gpu_missing && <p className="jp-GpuKernels-faint">{sentence(trans, benchmark.gpu_missing)}</p>}
    </>
  );
}

namespace Private {
  /**
   * How long a workload took on each device, and how many times faster the GPU was.
   */
  export function timings(trans: TranslationBundle, benchmark: BenchmarkResult, workload: string): string {
    const speedup = benchmark.speedups?.[workload];
    const parts = benchmark.timings
      .filter(item => item.workload === workload)
      .map(({ device, median }) => trans._p('device and duration', '%1 %2', deviceWord(trans, device), timing(median)));
    return [...parts, ...(speedup === undefined ? [] : [trans.__('%1×', factor(speedup))])].join(' · ');
  }
}
