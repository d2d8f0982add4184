/**
 * The settings: what a kernel begins with, and their texts in the person's language.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import schema from '../../schema/panel.json';
import { readDefaults, SETTINGS, translateSettings } from '../settings';
import { someDefaults } from './samples';

/** A registry in which a person has set something. */
function registry(load: () => Promise<unknown>): ISettingRegistry {
  return { load } as unknown as ISettingRegistry;
}

const BUILT_IN = someDefaults();

describe('The defaults of a new kernel', () => {
  it('are those of the schema', () => {
    const ofKernels = Object.entries(schema.properties).filter(([key]) => key !== 'carry_recipe');
    const defaults = ofKernels.map(([key, property]) => [key, property.default]);
    expect(Object.fromEntries(defaults)).toEqual(BUILT_IN);
  });

  it('are what the person has set', async () => {
    const composite = { installer: 'pypi', memory: 'grow' };
    const settings = registry(() => Promise.resolve({ composite }));
    expect(await readDefaults(settings)).toEqual({ ...BUILT_IN, ...composite });
  });

  it.each([null, registry(() => Promise.reject(new Error('They are no JSON.')))])(
    'are there without settings, too',
    async settings => {
      expect(await readDefaults(settings)).toEqual(BUILT_IN);
    }
  );
});

describe('The texts of the settings', () => {
  it('are translated wherever they are, and nothing else is', () => {
    let fetch: ISettingRegistry.IPlugin.Transform | undefined;
    const settings = {
      transform: (id: string, transforms: Record<string, ISettingRegistry.IPlugin.Transform>) => {
        expect(id).toBe(SETTINGS);
        fetch = transforms.fetch;
      }
    } as unknown as ISettingRegistry;
    const trans = { ...nullTranslator.load(''), _p: (context: string, text: string) => `${context}: ${text}` };
    translateSettings(settings, trans);
    const plugin = { id: SETTINGS, schema } as unknown as ISettingRegistry.IPlugin;
    const translated = fetch?.(plugin).schema as unknown as typeof schema;
    expect([translated.title, translated.description]).toEqual([
      'schema: GPU kernels',
      'schema: What New GPU kernel begins with, and what notebooks carry.'
    ]);
    expect(translated['jupyter.lab.setting-icon-label']).toBe('settings: GPU kernels');
    expect(translated.properties.memory).toEqual({
      ...schema.properties.memory,
      title: 'settings: GPU memory',
      description: `settings: ${schema.properties.memory.description}`,
      oneOf: schema.properties.memory.oneOf.map(item => ({ ...item, title: `settings: ${item.title}` }))
    });
    expect(translated.properties.channels.default).toEqual([]);
  });
});
