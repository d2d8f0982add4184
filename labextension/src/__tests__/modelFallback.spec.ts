import { beforeEach, describe, expect, it } from 'vitest';

import { LocalCodes } from '../request';
import { setHidden } from './fakeServer';
import { change, ended, model, pass, server, services, settle, useModel } from './modelFixtures';
import { aJob, anEnvironment, hardware } from './samples';

useModel();

describe('the fallback poll', () => {
  /** How often the jobs are read in a time. */
  async function readings(milliseconds: number): Promise<number> {
    server.asked.length = 0;
    await pass(milliseconds);
    return server.count('GET jobs');
  }

  it('is slow, and does not ask for the hardware again', async () => {
    void model.start();
    await settle();

    expect(await readings(600_000)).toBe(5);
    expect(server.count('GET gpus')).toBe(0);
  });

  it('is less slow while a job runs, from its first event on', async () => {
    void model.start();
    await settle();
    expect(await readings(100_000)).toBe(0);

    change({ state: 'running' });
    expect(await readings(300_000)).toBe(10);

    change({ state: 'succeeded' });
    expect(await readings(600_000)).toBe(5);
  });

  it('stops while the page is hidden, and makes up for it', async () => {
    server.set(aJob());
    void model.start();
    await settle();

    setHidden(true);
    expect(await readings(3_600_000)).toBe(0);

    setHidden(false);
    await settle();
    expect(server.count('GET jobs')).toBe(1);
  });

  it('does not hurry for a page that is hidden and seen all the time', async () => {
    void model.start();
    await settle();
    server.asked.length = 0;

    for (let turn = 0; turn < 100; turn++) {
      setHidden(turn % 2 === 0);
      await pass(100);
    }

    expect(server.count('GET jobs')).toBeLessThanOrEqual(3);
  });
});

describe('a server that goes away', () => {
  beforeEach(async () => {
    server.environments = [anEnvironment()];
    server.set(aJob());
    void model.start();
    await settle();
    server.isDown = true;
    server.asked.length = 0;
  });

  it('leaves what is known, and an error', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(6000);

    expect(model.error).toMatchObject({ report: { code: LocalCodes.UNREACHABLE } });
    expect(model.environments).toEqual([anEnvironment()]);
    expect(model.jobs).toEqual(server.jobs);
    expect(model.isReady).toBe(true);
  });

  it('is asked for less and less often', async () => {
    for (let second = 0; second < 600; second++) {
      services.connectionFailure.emit(new Error('Failed to fetch'));
      await pass(1000);
    }

    expect(server.count('GET jobs')).toBeGreaterThan(15);
    expect(server.count('GET jobs')).toBeLessThan(40);
  });

  it('is not asked for by a page that is hidden', async () => {
    setHidden(true);
    for (let minute = 0; minute < 60; minute++) {
      services.connectionFailure.emit(new Error('Failed to fetch'));
      await pass(60_000);
    }

    expect(server.requests).toEqual([]);
  });

  it('is read anew when it is back, hardware included', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(8000);
    server.isDown = false;
    server.hardware = hardware({ gpus: [], reason: 'There is no driver.' });
    server.environments = [];
    server.set(aJob({ revision: 30, state: 'succeeded' }));
    await pass(10_000);

    expect(model.error).toBeNull();
    expect(model.hardware?.reason).toBe('There is no driver.');
    expect(model.environments).toEqual([]);
    expect(ended).toEqual(server.jobs);
  });

  it('is read quickly until the events are back, too', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(6000);
    server.isDown = false;
    await pass(10_000);
    server.asked.length = 0;
    await pass(30_000);
    expect(server.count('GET jobs')).toBe(6);

    change({});
    server.asked.length = 0;
    await pass(60_000);
    expect(server.count('GET jobs')).toBe(2);
  });

  it('is read anew as soon as an event says that it is back', async () => {
    services.connectionFailure.emit(new Error('Failed to fetch'));
    await pass(60_000);
    expect(model.error).not.toBeNull();
    server.isDown = false;

    change({});
    await settle();

    expect(model.error).toBeNull();
  });

  it('is read when the machine is back on line', async () => {
    server.isDown = false;
    await pass(5000);
    server.asked.length = 0;
    window.dispatchEvent(new Event('online'));
    await settle();

    expect(server.count('GET jobs')).toBe(1);
  });

  it('is noticed by whoever reads a job', async () => {
    services.emit({ ...server.jobs[0], revision: 50, state: 'succeeded' });
    await pass(6000);
    expect(model.error).not.toBeNull();

    server.isDown = false;
    server.set(aJob({ revision: 50, state: 'succeeded' }));
    await pass(30_000);
    expect(model.error).toBeNull();
    expect(ended).toEqual(server.jobs);
  });
});
