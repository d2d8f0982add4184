/**
 * The doctor: when it looks, what it says, and what is done about it.
 */
import { Clipboard, Dialog, MainAreaWidget } from '@jupyterlab/apputils';
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { CommandIDs } from '../commandIds';
import { Examination } from '../diagnosis/examination';
import { openDiagnosis } from '../diagnosis/open';
import { asText } from '../diagnosis/text';
import { DiagnosisView } from '../diagnosis/view';
import type { ViewContent } from '../mainView';
import { ApiError } from '../request';
import type { Diagnosis, Remedy } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { NotedCommands, trans } from './panelFixtures';
import { aDiagnosis, aFinding, aJob, hardware } from './samples';

// Dialogs render when the browser has nothing else to do.
globalThis.requestIdleCallback ??= callback => Number(setTimeout(callback));

const REBUILD: Remedy = { id: 'rebuild', subject: 'tf', label: 'Rebuild', question: '' };
const FORGET: Remedy = { id: 'remove-kernelspec', subject: '/kernels/old', label: 'Remove', question: 'Remove old?' };

const SICK = aDiagnosis({
  findings: [
    aFinding({ subject: 'tf', sentence: 'Its comm is gone.', cure: 'Rebuild it.', remedy: REBUILD }),
    aFinding({ severity: 'note', sentence: 'That is usual.', cure: '', evidence: [], link: 'https://example.org/' }),
    aFinding({ severity: 'warning', sentence: 'It is stale.', cure: 'Remove it.', remedy: FORGET, evidence: [] })
  ],
  examined: [
    { check: 'a', title: 'The driver', findings: 0, skipped: '' },
    { check: 'b', title: 'Environments', findings: 1, skipped: '' },
    { check: 'c', title: 'Channels', findings: 0, skipped: 'None is configured.' }
  ]
});

let model: FakeGpuKernels;
let examination: Examination;
const showJobs = vi.fn();

beforeEach(() => {
  document.documentElement.lang = 'en';
  showJobs.mockReset();
  model = new FakeGpuKernels();
  examination = new Examination(model, '', showJobs);
});

afterEach(() => {
  examination.dispose();
});

function asked(): unknown[] {
  return model.calls.filter(({ method }) => ['diagnose', 'apply'].includes(method)).map(({ args }) => args[0]);
}

async function show(found: Diagnosis): Promise<void> {
  model.answers.diagnose = () => Promise.resolve(found);
  await examination.look();
  render(<DiagnosisView examination={examination} trans={trans} />);
}

async function press(name: string): Promise<void> {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
    await Promise.resolve();
  });
}

describe('the view', () => {
  it('has the findings by how much they matter, the worst first', async () => {
    await show(SICK);
    expect(screen.getAllByRole('heading', { level: 2 }).map(({ textContent }) => textContent)).toEqual([
      'Problems',
      'Warnings',
      'Notes'
    ]);
    const problems = screen.getByRole('region', { name: 'Problems' });
    expect(within(problems).getByText('Its comm is gone.').textContent).toBe('tf: Its comm is gone.');
    expect(within(problems).getByText('Rebuild it.')).toBeTruthy();
    expect(within(problems).getByText('driver 450.80').closest('details')?.open).toBe(false);
    expect(screen.getByRole('link', { name: 'Read more' }).getAttribute('href')).toBe('https://example.org/');
  });

  it('says that nothing is wrong, and what was looked at on demand', async () => {
    await show({ ...SICK, findings: [] });
    expect(screen.getByText('Nothing is wrong.')).toBeTruthy();
    const details = screen.getByText(/2 things were looked at · 1 was not/).closest('details')!;
    expect([...details.querySelectorAll('li')].map(({ textContent }) => textContent)).toEqual([
      'The driver · in order',
      'Environments · 1 finding',
      'Channels · not looked at: None is configured.'
    ]);
  });

  it('looks again, at everything if that is wanted', async () => {
    examination.dispose();
    examination = new Examination(model, 'tf', showJobs);
    await show({ ...SICK, subject: 'tf' });
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Diagnosis of tf');
    await press('Look again');
    await press('Look at everything');
    expect(asked()).toEqual(['tf', 'tf', '']);
    expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('Diagnosis of this machine and its kernels');
  });

  it('says what it is doing, and lets nothing else be asked meanwhile', async () => {
    await show(SICK);
    model.answers.diagnose = () => new Promise(() => undefined);
    await press('Look again');
    expect(screen.getByRole('status').textContent).toBe('Looking…');
    expect(screen.getByRole('button', { name: 'Look again' }).ariaDisabled).toBe('true');
    await press('Look again');
    expect(asked()).toHaveLength(2);
    // What was found stays.
    expect(screen.getByText('It is stale.')).toBeTruthy();
  });

  it('says why it could not look, and keeps what it has found before', async () => {
    await show(SICK);
    const report = { code: 'conflict', message: 'Not now.', cure: 'Wait.', detail: '' };
    model.answers.diagnose = () => Promise.reject(new ApiError(409, report));
    await press('Look again');
    expect(screen.getByRole('alert').textContent).toBe('Not now.Wait.');
    expect(screen.getByText('It is stale.')).toBeTruthy();
  });

  it('copies all of it as text', async () => {
    const copied = vi.spyOn(Clipboard, 'copyToSystem').mockImplementation(() => undefined);
    await show(SICK);
    await press('Copy as text');
    expect(copied).toHaveBeenCalledWith(asText(SICK, hardware()));
    expect(screen.getByRole('button', { name: 'Copied' })).toBeTruthy();
  });
});

describe('a remedy', () => {
  it('is applied, and its job is shown', async () => {
    await show(SICK);
    model.answers.apply = () => Promise.resolve({ ...SICK, findings: [] });
    await press('Rebuild');
    expect(asked()).toEqual(['', REBUILD]);
    expect(showJobs).toHaveBeenCalledOnce();
    expect(screen.getByText('Nothing is wrong.')).toBeTruthy();
  });

  it('is not offered while a job is at work on the same', async () => {
    await show(SICK);
    act(() => {
      model.jobs = [aJob({ kind: 'rebuild', name: 'TF' })];
    });
    expect(screen.getByRole('button', { name: 'Being worked on…' }).ariaDisabled).toBe('true');
    expect(screen.getByRole('button', { name: 'Remove the kernel' }).ariaDisabled).toBeNull();
  });

  it('asks first where something is lost by it', async () => {
    await show(SICK);
    for (const accept of [false, true]) {
      await press('Remove the kernel');
      const dialog = await vi.waitFor(() => {
        const found = Dialog.tracker.currentWidget;
        expect(found?.node.textContent).toContain('Remove old?');
        return found!;
      });
      expect(asked()).toEqual(['']);
      await act(async () => {
        if (accept) {
          dialog.resolve(1);
        } else {
          dialog.reject();
        }
        await Promise.resolve();
      });
    }
    await vi.waitFor(() => expect(asked()).toEqual(['', FORGET]));
    expect(showJobs).not.toHaveBeenCalled();
  });

  it('that does not work says why', async () => {
    await show(SICK);
    const report = { code: 'conflict', message: 'It was cured.', cure: 'Look again.', detail: '' };
    model.answers.apply = () => Promise.reject(new ApiError(409, report));
    await press('Rebuild');
    expect(screen.getByRole('alert').textContent).toBe('It was cured.Look again.');
    expect(screen.getByRole('button', { name: 'Rebuild' }).ariaDisabled).toBeNull();
  });
});

describe('the doctor', () => {
  it('looks again when a job has ended', async () => {
    await examination.look();
    model.end(aJob({ state: 'succeeded' }));
    expect(asked()).toEqual(['', '']);
  });

  it('looks at what it was looking at after a remedy that was told of more', async () => {
    await examination.look('tf');
    model.answers.apply = () => Promise.resolve(SICK);
    await examination.apply(FORGET);
    expect(asked()).toEqual(['tf', FORGET, 'tf']);
    expect(examination.diagnosis?.subject).toBe('tf');
  });

  it('does not show the answer to what was asked before', async () => {
    const answers: ((found: Diagnosis) => void)[] = [];
    model.answers.diagnose = () => new Promise(resolve => answers.push(resolve));
    const looks = [examination.look('old'), examination.look('new')];
    answers[1](aDiagnosis({ subject: 'new' }));
    answers[0](aDiagnosis({ subject: 'old' }));
    await Promise.all(looks);
    expect([examination.diagnosis?.subject, examination.isLooking]).toEqual(['new', false]);
  });

  it('is not asked any longer once it is closed', async () => {
    examination.dispose();
    model.end(aJob({ state: 'succeeded' }));
    await Promise.resolve();
    expect(asked()).toEqual([]);
  });
});

describe('the text', () => {
  it('has everything that a helper asks for', () => {
    expect(asText({ ...SICK, subject: 'tf' }, hardware())).toBe(
      `GPU kernels: diagnosis of tf, 2026-11-20T18:00:00+00:00
NVIDIA H200, driver 580.159.04, CUDA up to 13.0

**Problems**

- tf: Its comm is gone. Rebuild it. [driver-too-old]
  - \`driver 450.80\`

**Warnings**

- It is stale. Remove it. [driver-too-old]

**Notes**

- That is usual.  [driver-too-old]

Examined: 3 things.
- not looked at: Channels (None is configured.)
`
    );
  });

  it('says that nothing is wrong', () => {
    expect(asText(aDiagnosis(), null)).toContain('Nothing is wrong.');
  });
});

describe('the place of the view', () => {
  const commands = new NotedCommands();

  function setUp(isSingleDocument: boolean) {
    const widgets: Widget[] = [];
    const activated: string[] = [];
    const shell = {
      widgets: () => widgets[Symbol.iterator](),
      add: (widget: Widget) => void widgets.push(widget),
      activateById: (id: string) => void activated.push(id)
    };
    const app = { shell, commands } as unknown as JupyterFrontEnd;
    const open = (name: string) => openDiagnosis({ app, model, translator: nullTranslator, isSingleDocument }, name);
    return { widgets, activated, open };
  }

  it('is one tab, which is used again', () => {
    const { widgets, activated, open } = setUp(false);
    open('');
    open('tf');
    expect(widgets.map(widget => [widget instanceof MainAreaWidget, widget.title.label])).toEqual([
      [true, 'Diagnosis']
    ]);
    expect(activated).toEqual([widgets[0].id, widgets[0].id]);
    expect(asked()).toEqual(['', 'tf']);
    widgets[0].dispose();
  });

  it('is a dialog where a page has one document only', async () => {
    const { widgets, open } = setUp(true);
    model.answers.diagnose = () => Promise.resolve(SICK);
    open('');
    await vi.waitFor(() => expect(Dialog.tracker.currentWidget?.node.textContent).toContain('Its comm is gone.'));
    expect(widgets).toEqual([]);
    Dialog.tracker.currentWidget?.reject();
  });

  it('shows the panel with the job that a remedy has begun', async () => {
    const { widgets, open } = setUp(false);
    open('');
    const examination = (widgets[0] as MainAreaWidget<ViewContent>).content.owned as Examination;
    await examination.apply(REBUILD);
    expect(commands.noted).toEqual([{ id: CommandIDs.show, keepFocus: true }]);
    widgets[0].dispose();
  });
});
