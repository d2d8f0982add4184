/**
 * When the GPUs are read, and when they are left alone.
 */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LiveUsage } from '../liveUsage';
import { FakeGpuKernels } from './fakes';
import { setHidden } from './fakeServer';
import { aUsage, hardware } from './samples';

let model: FakeGpuKernels;
let live: LiveUsage;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeGpuKernels();
  live = new LiveUsage(model);
});

afterEach(() => {
  live.dispose();
  setHidden(false);
  vi.useRealTimers();
});

/** How often the GPUs are read within some seconds. */
async function readings(seconds: number): Promise<number> {
  const before = model.calls.length;
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  return model.calls.slice(before).filter(({ method }) => method === 'gpuUsage').length;
}

describe('The GPUs', () => {
  it('are read at once when somebody looks, and every other second then', async () => {
    expect(await readings(60)).toBe(0);
    live.isWatched = true;
    expect(await readings(0.1)).toBe(1);
    expect(live.usage).toEqual(aUsage());
    expect(await readings(20)).toBe(10);
  });

  it('are not read when nobody looks any longer', async () => {
    live.isWatched = true;
    await readings(4);
    live.isWatched = false;
    expect(await readings(600)).toBe(0);
    live.isWatched = true;
    expect(await readings(0.1)).toBe(1);
  });

  it('are not read while the page is hidden', async () => {
    live.isWatched = true;
    await readings(4);
    setHidden(true);
    expect(await readings(600)).toBe(0);
    setHidden(false);
    expect(await readings(4)).toBeGreaterThan(0);
  });

  it('are never read where there are none, and from the moment on in which there are', async () => {
    model.hardware = hardware({ driver: null, cuda: null, gpus: [], reason: 'There is no driver.', vendor: 'none' });
    live.isWatched = true;
    expect(await readings(600)).toBe(0);
    model.hardware = hardware();
    expect(await readings(0.1)).toBe(1);
  });

  it('are read ever more seldom while the server fails, and what was read stays', async () => {
    live.isWatched = true;
    await readings(1);
    model.answers.gpuUsage = () => Promise.reject(new Error('away'));
    expect(await readings(60)).toBeLessThan(15);
    expect([live.error?.message, live.usage]).toEqual(['away', aUsage()]);
    model.answers.gpuUsage = () => Promise.resolve(aUsage({ shares: [] }));
    await readings(120);
    expect([live.error, live.usage]).toEqual([null, aUsage({ shares: [] })]);
  });

  it('are read at once after something was done, but not unless somebody looks', async () => {
    live.refresh();
    expect(await readings(0.1)).toBe(0);
    live.isWatched = true;
    await readings(1);
    live.refresh();
    expect(await readings(0.1)).toBe(1);
  });

  it('tell nobody of an answer that comes too late', async () => {
    const told = vi.fn();
    live.changed.connect(told);
    let answer = (): void => undefined;
    model.answers.gpuUsage = () => new Promise(resolve => (answer = () => resolve(aUsage())));
    live.isWatched = true;
    await readings(1);
    live.dispose();
    answer();
    await readings(1);
    expect(told).not.toHaveBeenCalled();
  });
});
