/**
 * All that is known of a GPU kernel, for who asks.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { ago, duration, factor, moment, timing } from '../format';
import type { BenchmarkResult, Environment } from '../tokens';
import { deviceWord, kindWord, workloadWord } from '../words';
import type { Running } from './runningKernels';

/**
 * What the details need.
 */
export interface IKernelDetailsProps {
  environment: Environment;
  running: readonly Running[];
  trans: TranslationBundle;
}

/**
 * The details of a GPU kernel.
 */
export function KernelDetails({ environment, running, trans }: IKernelDetailsProps): JSX.Element {
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
  const devices = [...new Set(benchmark.timings.map(({ device }) => device))];
  const median = (workload: string, device: string) =>
    benchmark.timings.find(item => item.workload === workload && item.device === device)?.median;
  const speedups = benchmark.speedups ?? {};
  const hasSpeedups = Object.keys(speedups).length > 0;
  return (
    <>
      <table className="jp-GpuKernels-timings">
        <caption>
          {trans.__('Benchmark of %1', benchmark.framework)}
          {benchmark.finished && (
            <>
              {', '}
              <time dateTime={benchmark.finished} title={moment(benchmark.finished)}>
                {ago(benchmark.finished)}
              </time>
            </>
          )}
        </caption>
        <thead>
          <tr>
            <th scope="col">{trans.__('Workload')}</th>
            {devices.map(device => (
              <th scope="col" key={device}>
                {deviceWord(trans, device)}
              </th>
            ))}
            {hasSpeedups && <th scope="col">{trans.__('Speed-up')}</th>}
          </tr>
        </thead>
        <tbody>
          {workloads.map(workload => (
            <tr key={workload}>
              <th scope="row">{workloadWord(trans, workload)}</th>
              {devices.map(device => {
                const seconds = median(workload, device);
                return <td key={device}>{seconds === undefined ? '–' : timing(seconds)}</td>;
              })}
              {hasSpeedups && (
                <td>{speedups[workload] === undefined ? '–' : trans.__('%1×', factor(speedups[workload]))}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {benchmark.gpu_missing && <p className="jp-GpuKernels-faint">{benchmark.gpu_missing}</p>}
    </>
  );
}
