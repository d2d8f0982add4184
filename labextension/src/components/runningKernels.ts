/**
 * What runs in the kernels: notebooks and consoles, by the name of the kernel.
 */
import type { Session } from '@jupyterlab/services';
import { JSONExt } from '@lumino/coreutils';
import { useCallback } from 'react';

import { useReading } from './signals';

/** A session of a running kernel. */
export type Running = {
  /** What it is called: the name of the notebook, without its folder. */
  name: string;
  path: string;
  /** Id of the kernel. */
  kernel: string;
};

/** Sessions by the lower-case name of their kernel; sorted by path. */
export type RunningByKernel = { [kernelName: string]: Running[] };

/** Of a kernel that nothing runs in; always the same, so that its row need not be painted anew. */
export const NOTHING_RUNS: readonly Running[] = [];

/**
 * The running sessions; renders again when they change.
 */
export function useRunning(sessions: Session.IManager): RunningByKernel {
  const read = useCallback(() => byKernel(sessions.running()), [sessions]);
  return useReading(sessions.runningChanged, read, JSONExt.deepEqual);
}

/** Sort sessions by their kernels. */
export function byKernel(sessions: Iterable<Session.IModel>): RunningByKernel {
  const found: RunningByKernel = {};
  for (const { kernel, name, path } of sessions) {
    if (kernel) {
      const label = name || path.slice(path.lastIndexOf('/') + 1);
      (found[kernel.name.toLowerCase()] ??= []).push({ name: label, path, kernel: kernel.id });
    }
  }
  for (const running of Object.values(found)) {
    running.sort((one, other) => one.path.localeCompare(other.path));
  }
  return found;
}
