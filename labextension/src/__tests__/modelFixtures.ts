/**
 * A model on a server that is a fake, in a time that passes only when told, for the tests of the model.
 */
import { afterEach, beforeEach, vi } from 'vitest';

import { GpuKernels } from '../model';
import type { Job } from '../tokens';
import { FakeServer, FakeServices, setHidden } from './fakeServer';
import { aJob } from './samples';

/** What a model asks for when it starts. */
export const START = ['GET environments', 'GET gpus', 'GET jobs'];

export let server: FakeServer;
export let services: FakeServices;
export let model: GpuKernels;

/** The jobs whose end the model has told. */
export let ended: Job[];

/** Give each test of a file a server and a model of its own; call it once, at the top. */
export function useModel(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    setHidden(false);
    server = new FakeServer();
    services = new FakeServices(server);
    model = new GpuKernels({ services });
    ended = [];
    model.jobEnded.connect((_, job) => {
      ended.push(job);
    });
  });

  afterEach(() => {
    model.dispose();
    vi.useRealTimers();
    setHidden(false);
  });
}

/** Put another model in the place of the one that there is. */
export function renewModel(): void {
  model.dispose();
  model = new GpuKernels({ services });
}

/** Let time pass. */
export async function pass(milliseconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
}

/** Let what is under way be answered. */
export async function settle(): Promise<void> {
  await pass(50);
}

/** Change a job on the server, which sends an event. */
export function change(overrides: Partial<Job>): Job {
  const id = overrides.id ?? 'job-1';
  const former = server.jobs.find(job => job.id === id) ?? aJob({ id, revision: 0 });
  const job = server.set({ ...former, revision: former.revision + 1, ...overrides });
  services.emit(job);
  return job;
}
