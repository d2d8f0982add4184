/**
 * The settings: what the person wants by default, and their texts in the person's language.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IDefaults } from './tokens';

/** The settings' id: that of the plugin whose schema they have. */
export const SETTINGS = 'jupyter-gpu-kernels:panel';

/**
 * Read what a new kernel is made with by default.
 *
 * @param registry - `null` where an application has no settings.
 */
export async function readDefaults(registry: ISettingRegistry | null): Promise<IDefaults> {
  const defaults: IDefaults = {
    installer: 'auto',
    channels: [],
    companions: true,
    memory: 'default',
    memory_fraction: 0.5,
    placement: 'auto'
  };
  try {
    const settings = await registry?.load(SETTINGS);
    // The registry has checked them against the schema.
    return { ...defaults, ...(settings?.composite as Partial<IDefaults> | undefined) };
  } catch {
    // Settings that cannot be read must not stand in the way of a kernel; the settings editor says what is wrong.
    return defaults;
  }
}

/**
 * Show the settings in the person's language.
 *
 * The server translates schemas from language packs only, never from the catalogue of an extension:
 * https://github.com/jupyterlab/jupyterlab_server/blob/v2.28.1/jupyterlab_server/translation_utils.py#L432
 */
export function translateSettings(registry: ISettingRegistry, trans: TranslationBundle): void {
  registry.transform(SETTINGS, {
    fetch: plugin => ({ ...plugin, schema: Private.translated(plugin.schema, trans, 'schema') })
  });
}

namespace Private {
  /**
   * A schema with its texts translated.
   *
   * @param context - Where its own title belongs, as jupyterlab-translate has it; all below is of the context `settings`.
   */
  export function translated<T extends object>(schema: T, trans: TranslationBundle, context = 'settings'): T {
    const entries = Object.entries(schema).map(([key, value]: [string, unknown]) => {
      if (typeof value === 'string') {
        switch (key) {
          case 'title':
          case 'description':
            // eslint-disable-next-line jupyter/no-dynamic-translation -- the schema has the literal, and the test of the catalogue knows
            return [key, trans._p(context, value)];
          case 'jupyter.lab.setting-icon-label':
            // eslint-disable-next-line jupyter/no-dynamic-translation -- as above
            return [key, trans._p('settings', value)];
        }
      }
      return [key, isObject(value) ? translated(value, trans) : value];
    });
    return (Array.isArray(schema) ? entries.map(([, value]) => value) : Object.fromEntries(entries)) as T;
  }

  function isObject(value: unknown): value is object {
    return typeof value === 'object' && value !== null;
  }
}
