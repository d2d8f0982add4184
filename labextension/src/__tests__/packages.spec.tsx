/**
 * The packages of an environment: what is read, looked for, wished, previewed and done.
 */
import { act, fireEvent, render, screen, waitFor, within } from '@testing-library/react';
import React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PackageDesk } from '../packages/desk';
import { isEmpty, nameOf, NOTHING, UPDATE_ALL, wishesOf, withoutWish, withWish } from '../packages/edit';
import { PackagesView } from '../packages/view';
import { ApiError } from '../request';
import type { EditPlan, FoundPackage, InstalledPackage } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { NotedCommands, trans } from './panelFixtures';
import { aJob, anEnvironment, aPlan } from './samples';

function aPackage(overrides: Partial<InstalledPackage> = {}): InstalledPackage {
  const { name = 'numpy' } = overrides;
  const source = 'conda-forge';
  return { name, version: '2.1', build: 'h0', source, stage: 'link', origin: 'dependency', size: 0, ...overrides };
}

function aFound(overrides: Partial<FoundPackage> = {}): FoundPackage {
  const found = { name: 'scipy', stage: 'link' as const, source: 'conda-forge', versions: [], summary: '' };
  return { ...found, installed: null, ...overrides };
}

const EDIT_PLAN: EditPlan = {
  plan: aPlan({ download_bytes: 2e7, warnings: ['It would be lost.'] }),
  differences: [
    { name: 'scipy', stage: 'link', before: null, after: '1.14', size: 2e7 },
    { name: 'numpy', stage: 'link', before: '2.1', after: '2.2', size: 0 },
    { name: 'old', stage: 'link', before: '1.0', after: null, size: 0 }
  ]
};

const INSTALLED = [
  aPackage(),
  aPackage({ name: 'einops', origin: 'asked', source: 'pypi', stage: 'wheels' }),
  aPackage({ name: 'python', origin: 'framework' })
];

let model: FakeGpuKernels;
let desk: PackageDesk;
/** What is answered, by what is asked for. */
let answers: Record<string, unknown>;

beforeEach(() => {
  document.documentElement.lang = 'en';
  model = new FakeGpuKernels();
  model.environments = [anEnvironment()];
  answers = {
    'GET environments/tf-warp-speed/packages': INSTALLED,
    'POST environments/tf-warp-speed/packages/plan': EDIT_PLAN,
    'POST environments/tf-warp-speed/packages': aJob({ kind: 'edit' }),
    'GET packages': [aFound(), aFound({ name: 'scipy-extra', stage: 'wheels', source: 'pypi' })],
    'GET packages/scipy': aFound({ versions: ['1.14', '1.13'], summary: 'Algorithms.' })
  };
  model.answers.ask = what => {
    const answer = answers[what];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  desk = new PackageDesk(model, 'tf-warp-speed');
});

afterEach(() => {
  desk.dispose();
  vi.useRealTimers();
});

function asked(what: string): unknown[] {
  return model.calls.filter(({ method }) => method === what).map(({ args }) => args[0]);
}

async function show(): Promise<void> {
  await desk.read();
  render(<PackagesView desk={desk} commands={new NotedCommands()} trans={trans} />);
}

async function press(name: string): Promise<void> {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
    await Promise.resolve();
  });
}

describe('wishes', () => {
  it('are one for each package, the last that was made', () => {
    let edit = withWish(NOTHING, { kind: 'update', text: 'numpy' });
    edit = withWish(edit, { kind: 'install', text: 'NumPy >=2' });
    edit = withWish(edit, { kind: 'pip', text: 'einops' });
    expect(wishesOf(edit)).toEqual([
      { kind: 'install', text: 'NumPy >=2' },
      { kind: 'pip', text: 'einops' }
    ]);
    edit = withoutWish(edit, { kind: 'install', text: 'numpy' });
    expect(wishesOf(withWish(edit, UPDATE_ALL))).toEqual([UPDATE_ALL, { kind: 'pip', text: 'einops' }]);
    expect(isEmpty(withoutWish(edit, { kind: 'pip', text: 'einops' }))).toBe(true);
  });

  it('know the name in what was typed', () => {
    expect(['scikit-learn >=1.5', 'numpy[x]==2', ' Einops', 'a=1'].map(nameOf)).toEqual([
      'scikit-learn',
      'numpy',
      'einops',
      'a'
    ]);
  });
});

describe('the table', () => {
  it('has what is installed, and why', async () => {
    await show();
    const rows = within(screen.getByRole('table')).getAllByRole('row').slice(1);
    expect(rows.map(row => row.textContent)).toEqual([
      'numpy2.1Dependencyconda-forgeUpdate',
      'einops2.1Asked forpypiUpdateRemove',
      'python2.1Frameworkconda-forgeUpdate'
    ]);
  });

  it('is filtered by words and by why', async () => {
    await show();
    fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'py forge' } });
    await screen.findByText('2 of 3');
    fireEvent.change(screen.getByRole('combobox', { name: 'Why they are there' }), { target: { value: 'asked' } });
    await screen.findByText('No package matches.');
  });

  it('says why it is not there', async () => {
    answers['GET environments/tf-warp-speed/packages'] = new Error('away');
    await show();
    expect(screen.getByRole('alert').textContent).toContain('away');
  });
});

describe('a wish', () => {
  it('is previewed at once: what changes, what is downloaded, what is lost', async () => {
    await show();
    await press('Remove einops');
    expect(asked('POST environments/tf-warp-speed/packages/plan')).toEqual([{ ...NOTHING, uninstall: ['einops'] }]);
    const preview = screen.getByRole('region', { name: 'What shall change' });
    within(preview).getByText('1 new · 1 changed · 1 removed · 20 MB to download');
    within(preview).getByText('It would be lost.');
    const rows = within(preview).getAllByRole('row').slice(1);
    expect(rows.map(row => row.textContent)).toEqual(['scipy–1.1420 MB', 'numpy2.12.2', 'old1.0removed']);
  });

  it('becomes a job, and the packages are read anew at its end', async () => {
    await show();
    await press('Update all');
    await press('Apply');
    expect(asked('POST environments/tf-warp-speed/packages')).toEqual([{ ...NOTHING, update_all: true }]);
    expect(screen.queryByRole('region', { name: 'What shall change' })).toBeNull();
    const job = model.jobs[0];
    screen.getByRole('listitem', { name: 'Changing packages of tf-warp-speed' });
    expect(screen.queryByRole('combobox', { name: 'Add a package' })).toBeNull();
    act(() => model.end({ ...job, state: 'succeeded' }));
    await waitFor(() => expect(asked('GET environments/tf-warp-speed/packages')).toHaveLength(2));
    screen.getByText('The packages are changed.');
  });

  it('leaves the focus near where it was, whatever had it', async () => {
    await show();
    await act(() => desk.wish({ kind: 'install', text: 'scipy' }));
    const discard = screen.getByRole('button', { name: 'Discard' });
    discard.focus();
    await act(async () => {
      fireEvent.click(discard);
      return Promise.resolve();
    });
    expect(discard.isConnected).toBe(false);
    expect(document.activeElement?.className).toBe('jp-GpuKernels-View');
  });

  it('that is refused says why, and is not applied', async () => {
    const refusal = { reason: 'numpy is needed.', cure: 'Remove both.', detail: '' };
    answers['POST environments/tf-warp-speed/packages/plan'] = { plan: aPlan({ refusal }), differences: [] };
    await show();
    await press('Remove einops');
    screen.getByText('numpy is needed.');
    await press('Apply');
    expect(asked('POST environments/tf-warp-speed/packages')).toEqual([]);
    await press('Not that: Remove einops');
    expect(screen.queryByText('numpy is needed.')).toBeNull();
  });

  it('that cannot be applied is kept', async () => {
    answers['POST environments/tf-warp-speed/packages'] = new ApiError(409, {
      code: 'environment_busy',
      message: 'It is busy.',
      cure: 'Wait.',
      detail: ''
    });
    await show();
    await press('Update numpy');
    await press('Apply');
    screen.getByText('It is busy.');
    screen.getByRole('button', { name: 'Not that: Update numpy' });
  });

  it('overtakes the preview of the one before', async () => {
    const signals: (AbortSignal | undefined)[] = [];
    model.answers.ask = (what, { signal }) => {
      signals.push(signal);
      return what.endsWith('plan') ? new Promise(() => undefined) : Promise.resolve(INSTALLED);
    };
    await desk.read();
    void desk.wish({ kind: 'update', text: 'numpy' });
    void desk.wish({ kind: 'update', text: 'einops' });
    expect(signals.slice(1).map(signal => signal?.aborted)).toEqual([true, false]);
  });
});

describe('the search', () => {
  async function type(text: string): Promise<HTMLElement> {
    const field = screen.getByRole('combobox', { name: 'Add a package' });
    fireEvent.change(field, { target: { value: text } });
    await act(() => vi.advanceTimersByTimeAsync(200));
    return field;
  }

  function options(): (string | null)[] {
    return screen
      .queryAllByRole('option')
      .filter(node => node.nodeName === 'LI')
      .map(node => node.textContent);
  }

  beforeEach(() => {
    vi.useFakeTimers();
  });

  it('asks once the keys rest, and only for the name', async () => {
    await show();
    fireEvent.change(screen.getByRole('combobox', { name: 'Add a package' }), { target: { value: 'sc' } });
    await type('scipy>=1');
    expect(asked('GET packages')).toEqual([{ q: 'scipy', environment: 'tf-warp-speed', limit: '20' }]);
    expect(options()).toEqual([
      'scipy>=1 as typed, from conda',
      'scipy>=1 as typed, with pip',
      'scipy conda-forge',
      'scipy-extra pypi'
    ]);
  });

  it('is used by keys: arrows choose, Enter takes, then a version is chosen', async () => {
    await show();
    const field = await type('sci');
    fireEvent.keyDown(field, { key: 'ArrowDown' });
    const active = document.getElementById(field.getAttribute('aria-activedescendant')!)!;
    expect([active.textContent, active.getAttribute('aria-selected')]).toEqual(['scipy conda-forge', 'true']);
    fireEvent.keyDown(field, { key: 'Enter' });
    await act(() => vi.advanceTimersByTimeAsync(1));
    const version = screen.getByRole('combobox', { name: 'Version of scipy' });
    expect(document.activeElement).toBe(version);
    screen.getByText('Algorithms.');
    fireEvent.change(version, { target: { value: '1.13' } });
    await press('Add');
    expect(asked('POST environments/tf-warp-speed/packages/plan').at(-1)).toMatchObject({ install: ['scipy==1.13'] });
    expect(document.activeElement).toBe(field);
  });

  it('takes what was typed as it stands, with pip if that is wanted', async () => {
    await show();
    await type('einops>=0.8');
    fireEvent.click(screen.getByText('as typed, with pip'));
    await act(() => vi.advanceTimersByTimeAsync(1));
    expect(asked('POST environments/tf-warp-speed/packages/plan').at(-1)).toMatchObject({ pip: ['einops>=0.8'] });
    expect(options()).toEqual([]);
  });

  it('takes nothing for what was typed before', async () => {
    await show();
    const field = await type('sci');
    fireEvent.change(field, { target: { value: 'scikit' } });
    expect(options()).toEqual(['scikit as typed, from conda', 'scikit as typed, with pip']);
    fireEvent.keyDown(field, { key: 'Enter' });
    await act(() => vi.advanceTimersByTimeAsync(1));
    expect(asked('POST environments/tf-warp-speed/packages/plan').at(-1)).toMatchObject({ install: ['scikit'] });
  });

  it('says that no source answers, and still takes what was typed', async () => {
    answers['GET packages'] = new Error('No channel answers.');
    await show();
    const field = await type('sci');
    screen.getByText('No channel answers.');
    fireEvent.keyDown(field, { key: 'Enter' });
    await act(() => vi.advanceTimersByTimeAsync(1));
    expect(asked('POST environments/tf-warp-speed/packages/plan').at(-1)).toMatchObject({ install: ['sci'] });
  });
});
