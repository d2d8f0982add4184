import { act, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../commandIds';
import { headline } from '../components/benchmarkWords';
import { useCatalogue } from '../components/catalogue';
import { KernelList } from '../components/kernelList';
import { useChanges } from '../components/signals';
import type { BenchmarkResult, Environment } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { aSession, NotedCommands, SomeSessions, someSpecs, trans } from './panelFixtures';
import { aFramework, aJob, anEnvironment } from './samples';

let model: FakeGpuKernels;
let commands: NotedCommands;
let sessions: SomeSessions;

beforeEach(() => {
  document.documentElement.lang = 'en';
  model = new FakeGpuKernels();
  commands = new NotedCommands();
  sessions = new SomeSessions();
});

function Kernels({ offered }: { offered: readonly Environment[] | null }): JSX.Element {
  useChanges(model.changed);
  const frameworks = useCatalogue(model);
  return (
    <KernelList
      model={model}
      commands={commands}
      sessions={sessions.manager}
      specs={someSpecs(offered)}
      frameworks={frameworks}
      trans={trans}
    />
  );
}

async function show(environments: Environment[], offered: readonly Environment[] | null = environments): Promise<void> {
  model.environments = environments;
  render(<Kernels offered={offered} />);
  // The catalogue comes a moment later.
  await act(() => Promise.resolve());
}

function row(name: string): HTMLElement {
  return screen.getByRole('listitem', { name });
}

function verification(changes: Partial<NonNullable<Environment['verification']>>): Environment['verification'] {
  return { ...anEnvironment().verification!, ...changes };
}

function aBenchmark(changes: Partial<BenchmarkResult> = {}): BenchmarkResult {
  const timing = { device_name: '', spread: 0, runs: 5, total: 1, peak_memory: null };
  return {
    framework: 'TensorFlow 2.19.0',
    timings: [
      { ...timing, workload: 'matmul', device: 'cpu', median: 1.23 },
      { ...timing, workload: 'matmul', device: 'gpu', median: 0.0123 }
    ],
    speedups: { matmul: 100, convolution: 43.2 },
    gpu_missing: null,
    finished: '2026-11-20T18:00:00+00:00',
    ...changes
  };
}

describe('a kernel', () => {
  it('says what it is made of', async () => {
    await show([anEnvironment()]);
    const shown = row('tf-warp-speed (TensorFlow 2.19 · CUDA 12.9)');
    expect(
      within(shown).getByText('TensorFlow 2.19.0 · Python 3.12.11 · CUDA 12.9 · GPU · conda · 3.0 GB')
    ).toBeTruthy();
    expect(shown.querySelector('img')?.getAttribute('src')).toBe(model.logoUrl('tensorflow'));
  });

  it('is opened, used, and benchmarked by commands', async () => {
    await show([anEnvironment()]);
    for (const name of ['Open notebook', 'Use here', 'Run benchmark']) {
      fireEvent.click(screen.getByRole('button', { name }));
    }
    expect(commands.noted).toEqual(
      [CommandIDs.openNotebook, CommandIDs.useInNotebook, CommandIDs.benchmark].map(id => ({
        id,
        name: 'tf-warp-speed'
      }))
    );
  });

  it('cannot be used where no notebook is open, until one is', async () => {
    commands.disabled.add(CommandIDs.useInNotebook);
    await show([anEnvironment()]);
    const button = screen.getByRole<HTMLButtonElement>('button', { name: 'Use here' });
    expect([button.disabled, button.title]).toEqual([true, 'No notebook is open.']);
    commands.disabled.clear();
    act(() => commands.notifyCommandChanged());
    expect(button.disabled).toBe(false);
  });

  it('cannot be opened where JupyterLab does not know it', async () => {
    await show([anEnvironment()], []);
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Open notebook' }).disabled).toBe(true);
  });

  it('can be opened where JupyterLab knows of no kernel at all', async () => {
    await show([anEnvironment()], null);
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Open notebook' }).disabled).toBe(false);
  });

  it('says why it is verified, and the rest, on demand', async () => {
    await show([anEnvironment({ benchmark: aBenchmark() })]);
    const state = screen.getByRole('button', { name: 'Verified' });
    expect(screen.queryByText('TensorFlow computes on NVIDIA H200.')).toBeNull();
    fireEvent.click(state);
    expect(state.getAttribute('aria-expanded')).toBe('true');
    for (const text of ['TensorFlow computes on NVIDIA H200.', 'NVIDIA H200', 'CPU 1.23 sec · GPU 12.3 ms · 100×']) {
      expect(screen.getByText(text)).toBeTruthy();
    }
    fireEvent.click(state);
    expect(screen.queryByText('NVIDIA H200')).toBeNull();
  });

  it('says at once why something is amiss, and what to do', async () => {
    await show([
      anEnvironment({ name: 'blind', verification: verification({ outcome: 'gpu_not_seen', sentence: 'Too old.' }) }),
      anEnvironment({ name: 'dead', verification: verification({ outcome: 'failed', sentence: 'It died.' }) }),
      anEnvironment({ name: 'lost', registered: false }),
      anEnvironment({ name: 'untried', verification: null }),
      anEnvironment({ name: 'wreck', display_name: '', damaged: 'Its manifest is no JSON.', framework_version: null })
    ]);
    const said = screen.getAllByRole('listitem').map(item => ({
      buttons: within(item)
        .getAllByRole('button')
        .map(button => button.getAttribute('aria-label') ?? button.textContent),
      sentences: [...item.querySelectorAll('p:not(.jp-GpuKernels-faint)')].map(({ textContent }) => textContent)
    }));
    expect(said).toEqual([
      {
        buttons: ['Sees no GPU', 'Run benchmark', 'Open notebook', 'Use here', 'More for blind'],
        sentences: ['Too old.', 'Mend the cause, then verify it again.']
      },
      {
        buttons: ['Verification failed', 'Rebuild', 'Verify', 'More for dead'],
        sentences: ['It died.', 'Rebuild it, or verify it again.']
      },
      {
        buttons: ['Not registered', 'Verify', 'More for lost'],
        sentences: [
          'Its kernelspec is gone, so that JupyterLab does not offer it.',
          'Verify it: if it works, it is registered again.'
        ]
      },
      {
        buttons: ['Not verified', 'Run benchmark', 'Open notebook', 'Use here', 'More for untried'],
        sentences: []
      },
      {
        buttons: ['Damaged', 'Remove…', 'More for wreck'],
        sentences: ['Its manifest is no JSON.', 'Remove it, and create it again.']
      }
    ]);
  });

  it('says what is being done to it', async () => {
    model.jobs = [aJob({ kind: 'verify', name: 'TF-Warp-Speed' })];
    await show([anEnvironment()]);
    expect(screen.getByRole('button', { name: 'Being verified…' })).toBeTruthy();
    expect(screen.getByRole('listitem').getAttribute('aria-busy')).toBe('true');
  });

  it('counts what runs in it, and names what must be restarted', async () => {
    sessions.models = [aSession('tf-warp-speed', 'deep/b.ipynb', 'k2'), aSession('TF-warp-speed', 'a.ipynb', 'k1')];
    await show([anEnvironment({ restart_needed: ['k2'] })]);
    expect(screen.getByText('2 running').getAttribute('title')).toBe('a.ipynb\ndeep/b.ipynb');
    expect(screen.getByText('Restart the kernel of b.ipynb: it still runs what was replaced.')).toBeTruthy();
    act(() => {
      sessions.models = [];
    });
    expect(screen.queryByText(/running$/)).toBeNull();
    expect(screen.getByText('Restart 1 running kernel: it still runs what was replaced.')).toBeTruthy();
  });

  it('has all that can be done with it in a menu, and the focus back', async () => {
    await show([anEnvironment()]);
    const more = screen.getByRole('button', { name: 'More for tf-warp-speed' });
    fireEvent.click(more);
    expect(more.getAttribute('aria-expanded')).toBe('true');
    const labels = [...document.querySelectorAll('.lm-Menu-itemLabel')].map(({ textContent }) => textContent);
    expect(labels.filter(label => label?.trim())).toEqual([
      CommandIDs.openNotebook,
      CommandIDs.useInNotebook,
      CommandIDs.benchmark,
      CommandIDs.verify,
      CommandIDs.diagnose,
      CommandIDs.packages,
      CommandIDs.changeGpus,
      CommandIDs.rebuild,
      CommandIDs.share,
      CommandIDs.clone,
      CommandIDs.rename,
      CommandIDs.remove
    ]);
    act(() => {
      fireEvent.keyDown(document.querySelector('.lm-Menu')!, { key: 'Escape', keyCode: 27 });
    });
    expect(more.getAttribute('aria-expanded')).toBe('false');
    expect(document.activeElement).toBe(more);
  });
});

describe('the list', () => {
  const many = Array.from({ length: 12 }, (_, index) => anEnvironment({ name: `kernel-${index}` }));

  it('says what a GPU kernel is where there is none', async () => {
    await show([]);
    fireEvent.click(screen.getByRole('button', { name: 'New GPU kernel' }));
    expect(commands.noted).toEqual([{ id: CommandIDs.create }]);
  });

  it('says nothing while the first is being made, nor in the moment before it is listed', async () => {
    vi.useFakeTimers();
    model.jobs = [aJob()];
    await show([]);
    expect(screen.queryByRole('button')).toBeNull();
    act(() => {
      model.jobs = [];
    });
    expect(screen.queryByRole('button')).toBeNull();
    act(() => {
      vi.advanceTimersByTime(3000);
    });
    expect(screen.getByRole('button', { name: 'New GPU kernel' })).toBeTruthy();
    vi.useRealTimers();
  });

  it('says nothing before anything was read', async () => {
    model.isReady = false;
    await show([]);
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('is filtered by each word of name, title and framework', async () => {
    await show([...many, anEnvironment({ name: 'other', display_name: 'For the seminar', framework: 'jax' })]);
    model.answers.frameworks = () => Promise.resolve([aFramework({ id: 'jax', title: 'JAX' })]);
    expect(screen.getByText('13')).toBeTruthy();
    fireEvent.change(screen.getByRole('searchbox', { name: 'Filter the kernels' }), { target: { value: 'semi jax' } });
    expect(screen.getAllByRole('listitem')).toEqual([row('For the seminar')]);
    expect(screen.getByText('1 of 13')).toBeTruthy();
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'nonsense' } });
    expect(screen.getByText('No kernel matches.')).toBeTruthy();
  });

  it('needs no filter where a glance is enough', async () => {
    await show(many.slice(0, 8));
    expect(screen.queryByRole('searchbox')).toBeNull();
  });

  it('asks for the catalogue once, and shows ids without it', async () => {
    model.answers.frameworks = () => Promise.reject(new Error('away'));
    await show(many);
    expect(screen.getAllByText(/^tensorflow 2.19.0/)).toHaveLength(12);
    expect(model.calls).toEqual([{ method: 'frameworks', args: [] }]);
  });
});

describe('the result of a benchmark', () => {
  it.each([
    ['43× to 100× faster than the CPU', aBenchmark()],
    ['43× faster than the CPU', aBenchmark({ speedups: { matmul: 43.2 } })],
    ['Not faster than the CPU', aBenchmark({ speedups: { matmul: 0.7 } })],
    ['Matrix product on the CPU: 1.23 sec', aBenchmark({ speedups: {}, gpu_missing: 'No driver.' })],
    ['Nothing was measured', aBenchmark({ speedups: {}, timings: [] })]
  ])('is said in a line: %s', (line, result) => {
    expect(headline(trans, result)).toBe(line);
  });
});
