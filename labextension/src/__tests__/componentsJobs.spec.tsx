import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import { beforeEach, describe, expect, it } from 'vitest';

import { CommandIDs } from '../commandIds';
import { JobList } from '../components/jobList';
import { useChanges } from '../components/signals';
import { ApiError } from '../request';
import type { Job } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { NotedCommands, trans } from './panelFixtures';
import { aJob, anEnvironment, aProgress, aSpec } from './samples';

let model: FakeGpuKernels;
let commands: NotedCommands;

beforeEach(() => {
  localStorage.clear();
  document.documentElement.lang = 'en';
  model = new FakeGpuKernels();
  commands = new NotedCommands();
});

function Jobs({ visit }: { visit: number }): JSX.Element {
  useChanges(model.changed);
  return <JobList jobs={model.jobs} model={model} commands={commands} trans={trans} visit={visit} />;
}

function show(...jobs: Job[]): ReturnType<typeof render> {
  model.jobs = jobs;
  return render(<Jobs visit={1} />);
}

function card(name: string): HTMLElement {
  return screen.getByRole('listitem', { name });
}

const FAILURE = { code: 'refused', message: 'The driver is too old.', cure: 'Update it.', detail: 'libcuda 450' };

describe('a job at work', () => {
  it('says what it does, and how far it is', () => {
    show(
      aJob({
        progress: aProgress({
          packages_done: 4,
          packages_total: 10,
          bytes_done: 5e8,
          bytes_total: 1e9,
          bytes_per_second: 5e7
        })
      })
    );
    const shown = card('Creating tf-warp-speed');
    expect(within(shown).getByRole('status').textContent).toBe('Downloading');
    expect(shown.textContent).toContain('Step 2 of 6');
    const bar = within(shown).getByRole('progressbar', { name: 'Creating tf-warp-speed' });
    expect(bar.getAttribute('aria-valuenow')).toBe('50');
    expect(bar.getAttribute('aria-valuetext')).toBe('50%, 500 MB of 1.0 GB');
    for (const text of ['500 MB of 1.0 GB', '50 MB/s', '4 of 10 packages']) {
      expect(within(shown).getByText(text)).toBeTruthy();
    }
  });

  it('has a bar without a value while nothing is counted', () => {
    show(aJob({ stage: 'solve', progress: aProgress() }), aJob({ id: 'job-2', name: 'other', state: 'queued' }));
    const bars = screen.getAllByRole('progressbar');
    expect(bars.map(bar => [bar.getAttribute('aria-valuenow'), bar.dataset.share])).toEqual([
      [null, 'unknown'],
      [null, 'none']
    ]);
  });

  it('is cancelled without a question, and says so until nothing is left of it', async () => {
    let finish = () => {};
    model.answers.done = () => new Promise<void>(resolve => (finish = resolve));
    show(aJob());
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Cancel “Creating tf-warp-speed”' });
    fireEvent.click(button);
    expect(model.calls).toContainEqual({ method: 'cancel', args: ['job-1'] });
    expect(screen.getByRole('status').textContent).toBe('Cancelling…');
    expect(button.getAttribute('aria-disabled')).toBe('true');
    await act(async () => {
      model.end(aJob({ state: 'cancelled', finished: '2026-11-20T18:01:00+00:00' }));
      finish();
      return Promise.resolve();
    });
    expect(screen.getByRole('status').textContent).toBe('Cancelled');
  });

  it('says why it was not cancelled', async () => {
    const report = { code: 'conflict', message: 'It has finished already.', cure: 'Nothing needs it.', detail: '' };
    model.answers.done = () => Promise.reject(new ApiError(409, report));
    show(aJob());
    await act(async () => {
      fireEvent.click(screen.getByRole('button', { name: /^Cancel/ }));
      return Promise.resolve();
    });
    expect(screen.getByRole('alert').textContent).toBe('It has finished already. Nothing needs it.');
  });

  it('says who works on it where that is not this server, which cannot cancel it', () => {
    show(aJob({ local: false }));
    expect(screen.queryByRole('button')).toBeNull();
    expect(screen.getByText('Done elsewhere: by process 4242 on localhost')).toBeTruthy();
  });

  it('offers no cancelling where there is nobody to do it, or where it is too late', () => {
    show(
      aJob({ state: 'queued', owner: null, local: false }),
      aJob({ id: 'job-2', name: 'old', kind: 'remove', stage: null })
    );
    expect(screen.queryByRole('button')).toBeNull();
    expect(screen.getByText('Waits for the next Jupyter server')).toBeTruthy();
  });

  it('shows the end of its log on demand, and is watched no longer than that', () => {
    const { container } = show(aJob({ log: ['first', 'last'], progress: aProgress({ detail: 'numpy' }) }));
    const details = container.querySelector('details')!;
    const toggle = (open: boolean) =>
      act(() => {
        details.open = open;
        details.dispatchEvent(new Event('toggle'));
      });
    expect([screen.queryByRole('log'), model.watched]).toEqual([null, []]);
    toggle(true);
    expect(screen.getByRole('log').textContent).toBe('first\nlast');
    expect(screen.getByText('numpy')).toBeTruthy();
    expect(screen.getByRole('link', { name: 'Whole log' }).getAttribute('href')).toBe(model.logUrl('job-1'));
    expect(model.watched).toEqual(['job-1']);
    toggle(false);
    expect(model.watched).toEqual([]);
  });
});

describe('a job that failed', () => {
  const failed = aJob({ state: 'failed', error: FAILURE, finished: '2026-11-20T18:01:00+00:00' });

  it('says why, what to do, and the evidence', () => {
    show(failed);
    const shown = card('Creating tf-warp-speed');
    for (const text of [FAILURE.message, FAILURE.cure, FAILURE.detail, 'Failed']) {
      expect(within(shown).getByText(text)).toBeTruthy();
    }
  });

  it('is tried again with all that was asked for', () => {
    const spec = aSpec({ pip: ['rich'] });
    show({ ...failed, spec });
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(commands.noted).toEqual([{ id: CommandIDs.create, ...spec }]);
  });

  it('is tried again by the name of its environment, where that is there', () => {
    show({ ...failed, kind: 'rebuild' });
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    expect(commands.noted).toEqual([{ id: CommandIDs.rebuild, name: 'tf-warp-speed' }]);
  });

  it('waits for its reason', () => {
    show({ ...failed, error: null });
    expect(screen.getByText('Reading why…')).toBeTruthy();
  });

  it('stays until it is dismissed, for this browser', () => {
    show(failed);
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss “Creating tf-warp-speed”' }));
    expect(screen.queryByRole('listitem')).toBeNull();
    cleanup();
    show(failed);
    expect(screen.queryByRole('listitem')).toBeNull();
  });

  it('is dismissed together with the others', () => {
    show(failed, { ...failed, id: 'job-2', name: 'other' }, aJob({ id: 'job-3', name: 'third' }));
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss all' }));
    expect(screen.getAllByRole('listitem')).toEqual([card('Creating third')]);
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Progress' }));
  });
});

describe('a job that succeeded', () => {
  const done = aJob({ state: 'succeeded', finished: '2026-11-20T18:01:00+00:00' });

  it('stays in its place, with the next step', () => {
    show(aJob());
    act(() => model.end(done));
    const shown = card('Creating tf-warp-speed');
    expect(within(shown).getByText('The kernel is ready.')).toBeTruthy();
    fireEvent.click(within(shown).getByRole('button', { name: 'Open notebook' }));
    expect(commands.noted).toEqual([{ id: CommandIDs.openNotebook, name: 'tf-warp-speed' }]);
  });

  it('says what a verification has found', () => {
    show(aJob({ kind: 'verify' }));
    act(() => model.end({ ...done, kind: 'verify', verification: anEnvironment().verification }));
    expect(within(card('Verifying tf-warp-speed')).getByText('Verified')).toBeTruthy();
  });

  it('is gone when the panel is shown anew', () => {
    const { rerender } = show(aJob());
    act(() => model.end(done));
    rerender(<Jobs visit={2} />);
    expect(screen.queryByRole('listitem')).toBeNull();
  });

  it('is not shown to who was not there', () => {
    const { container } = show(done);
    expect(container.childElementCount).toBe(0);
  });
});
