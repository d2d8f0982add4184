/**
 * What is around the kernels: environments of others, and where packages come from.
 */
import { act, fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';
import { beforeEach, describe, expect, it } from 'vitest';

import { ChannelsView } from '../channels/view';
import { ForeignView } from '../foreign/view';
import type { ChannelsReport, ForeignEnvironment } from '../tokens';
import { FakeGpuKernels } from './fakes';
import { NotedCommands, trans } from './panelFixtures';
import { aJob } from './samples';

let model: FakeGpuKernels;

beforeEach(() => {
  document.documentElement.lang = 'en';
  model = new FakeGpuKernels();
});

function asked(): unknown[] {
  return model.calls.filter(({ method }) => method.includes(' ')).map(({ method, args }) => [method, args[0]]);
}

async function press(name: string): Promise<void> {
  await act(async () => {
    fireEvent.click(screen.getByRole('button', { name }));
    await new Promise(resolve => setTimeout(resolve));
  });
}

describe('an environment of others', () => {
  function anOther(overrides: Partial<ForeignEnvironment> = {}): ForeignEnvironment {
    const { name = 'old' } = overrides;
    return {
      prefix: `/envs/${name}`,
      kind: 'conda',
      name,
      python: '3.11.4',
      ipykernel: '6.29',
      kernel_name: '',
      display_name: '',
      kernelspec: '',
      adopted: false,
      added: [],
      obstacle: '',
      ...overrides
    };
  }

  async function show(...found: ForeignEnvironment[]): Promise<void> {
    model.answers.ask = (what, { method }) =>
      Promise.resolve(method === 'POST' ? aJob({ kind: 'adopt', source: '/envs/old' }) : found);
    render(<ForeignView model={model} commands={new NotedCommands()} trans={trans} />);
    await screen.findByText(/^\d environments?$/);
  }

  it('is adopted by a job, and is looked at again at its end', async () => {
    await show(anOther());
    await press('Adopt old');
    const begun = ['POST foreign', { prefix: '/envs/old', install_ipykernel: false }];
    expect(asked()).toEqual([['GET foreign', undefined], begun]);
    expect(screen.getByRole('button', { name: 'Adopt old' }).textContent).toBe('Being worked on…');
    await act(async () => {
      model.end({ ...model.jobs[0], state: 'succeeded' });
      await Promise.resolve();
    });
    expect(asked()).toHaveLength(3);
  });

  it('without ipykernel is adopted together with that only', async () => {
    await show(anOther({ ipykernel: null }));
    const box = screen.getByRole('checkbox', { name: 'Install ipykernel, which it lacks' });
    fireEvent.click(box);
    await press('Adopt old');
    expect(asked()).toHaveLength(1);
    fireEvent.click(box);
    await press('Adopt old');
    expect(asked().at(-1)).toEqual(['POST foreign', { prefix: '/envs/old', install_ipykernel: true }]);
  });

  it('is released at once, and what was installed for it is named', async () => {
    await show(anOther({ adopted: true, added: ['ipykernel', 'comm'] }));
    screen.getByText('Installed for it, and taken out again when it is released: ipykernel, comm');
    await press('Release old');
    expect(asked().slice(1)).toEqual([
      ['DELETE foreign', { prefix: '/envs/old' }],
      ['GET foreign', undefined]
    ]);
  });

  it('that cannot be adopted says why', async () => {
    await show(anOther({ name: 'base', obstacle: 'It has no Python.' }));
    screen.getByText('It has no Python.');
    expect(screen.queryByRole('button', { name: 'Adopt base' })).toBeNull();
  });
});

describe('where packages come from', () => {
  const REPORT: ChannelsReport = {
    channels: [
      ['near', 'https://near.example.org/conda'],
      ['conda-forge', '']
    ],
    indexes: [],
    values: [
      { tool: 'conda', key: 'channels', value: 'near', source: '~/.condarc', overridden: ['/etc/conda/.condarc'] },
      {
        tool: 'environment',
        key: 'HTTPS_PROXY',
        value: 'http://proxy.example.org',
        source: 'HTTPS_PROXY',
        overridden: []
      }
    ],
    mirrors: [
      { id: 'near', title: 'Nearby', channels: [['conda-forge', 'x']], index: 'y', source: 'data', used: false },
      { id: 'far', title: 'Far away', channels: [], index: '', source: 'data', used: true }
    ],
    measured: [],
    warnings: ['The channel near goes past the mirror.']
  };

  async function show(): Promise<void> {
    model.answers.ask = (_, { query }) =>
      Promise.resolve(
        query?.measure
          ? {
              ...REPORT,
              measured: [
                {
                  name: 'near',
                  url: 'u',
                  kind: 'conda',
                  reachable: true,
                  error: '',
                  cure: '',
                  seconds: 0.1,
                  rate: 2e6
                },
                {
                  name: 'conda-forge',
                  url: 'v',
                  kind: 'conda',
                  reachable: false,
                  error: 'It does not answer.',
                  cure: 'Look at the proxy.',
                  seconds: null,
                  rate: null
                }
              ]
            }
          : REPORT
      );
    render(<ChannelsView model={model} trans={trans} />);
    await screen.findByText('The channel near goes past the mirror.');
  }

  it('says what is in force, and who says so', async () => {
    await show();
    const channels = screen.getByRole('region', { name: 'Conda channels, in their order' });
    expect(
      within(channels)
        .getAllByRole('listitem')
        .map(({ textContent }) => textContent)
    ).toEqual(['near https://near.example.org/conda', 'conda-forge ']);
    const rows = screen.getAllByRole('row').slice(1);
    expect(rows.map(row => row.textContent)).toEqual([
      'condachannelsnear~/.condarc (not heard: /etc/conda/.condarc)',
      'variablesHTTPS_PROXYhttp://proxy.example.orgHTTPS_PROXY'
    ]);
  });

  it('is measured on request', async () => {
    await show();
    await press('Measure');
    const rows = within(screen.getByRole('region', { name: 'Measured' }))
      .getAllByRole('row')
      .slice(1);
    expect(rows.map(row => row.textContent)).toEqual([
      'near yes100 ms2.0 MB/s',
      'conda-forge It does not answer. Look at the proxy.'
    ]);
  });

  it('is switched to a mirror, and back', async () => {
    await show();
    await press('Use Nearby');
    await press('Use Far away no longer');
    expect(asked().slice(1)).toEqual([
      ['PUT channels', { mirror: 'near' }],
      ['PUT channels', { mirror: null }]
    ]);
  });
});
