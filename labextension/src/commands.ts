/**
 * What can be done, as commands; what they need is fetched when they are used.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { fileUploadIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { attempt, showJob } from './attempt';
import { CommandIDs } from './commandIds';
import { diagnoseIcon, gpuKernelIcon } from './icons';
import { addKernelCommands, type IKernelCommandsOptions } from './kernelCommands';
import { readDefaults } from './settings';
import { isImportable } from './sharing/importable';
import type { Spec } from './tokens';

/**
 * What the commands work with.
 */
export interface ICommandsOptions extends IKernelCommandsOptions {
  /** Where an application has settings. */
  settings: ISettingRegistry | null;
}

/**
 * Register the commands, but for that of the panel.
 */
export function addCommands(options: ICommandsOptions): void {
  const { app, model, translator, settings } = options;
  const { commands } = app;
  const trans = translator.load('jupyter_gpu_kernels');

  commands.addCommand(CommandIDs.create, {
    label: args => (args.isLauncher ? trans.__('New GPU kernel') : trans.__('New GPU Kernel…')),
    caption: trans.__('Make an environment with its own framework and CUDA, and a kernel in it'),
    icon: gpuKernelIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          isLauncher: { type: 'boolean', description: trans.__('Whether it is asked for in the Launcher') },
          ...Private.SPEC_PROPERTIES
        }
      }
    },
    execute: args =>
      attempt(translator, trans.__('The form of a new kernel could not be opened'), async () => {
        const [{ createKernel }, defaults] = await Promise.all([import('./createDialog'), readDefaults(settings)]);
        await showJob(commands, createKernel({ model, translator, defaults, preset: Private.preset(args) }));
      })
  });

  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh GPU Kernels'),
    caption: trans.__('Read the list of GPU kernels anew'),
    icon: refreshIcon,
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => model.refresh()
  });

  commands.addCommand(CommandIDs.diagnose, {
    label: args => (args.name ? trans.__('Diagnose') : trans.__('Diagnose GPU Kernels')),
    caption: trans.__('Look for what is wrong with this machine and its kernels, and for its cure'),
    icon: args => (args.name ? undefined : diagnoseIcon),
    describedBy: {
      args: {
        type: 'object',
        properties: { name: { type: 'string', description: trans.__('The name of the environment; all without one') } }
      }
    },
    execute: args =>
      attempt(translator, trans.__('The diagnosis could not be shown'), async () => {
        const { openDiagnosis } = await import('./diagnosis/open');
        openDiagnosis(options, typeof args.name === 'string' ? args.name : '');
      })
  });

  commands.addCommand(CommandIDs.cancel, {
    label: trans.__('Cancel'),
    caption: trans.__('Cancel the job and remove what it has made'),
    icon: stopIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: { id: { type: 'string', description: trans.__('The identifier of the job') } },
        required: ['id']
      }
    },
    isEnabled: args => Boolean(args.id),
    execute: async args => {
      const { id } = args;
      if (typeof id === 'string' && id) {
        await attempt(translator, trans.__('The job could not be cancelled'), () => model.cancel(id));
      }
    }
  });

  commands.addCommand(CommandIDs.importFile, {
    label: args => (args.isContext ? trans.__('Build a GPU Kernel from This File…') : trans.__('Import GPU Kernel…')),
    caption: trans.__('Make a GPU kernel of a file: an environment.yml, a lock, a list of requirements, or a pack'),
    icon: fileUploadIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          path: { type: 'string', description: trans.__('A file of the server') },
          isContext: {
            type: 'boolean',
            description: trans.__('Whether it is the file that is chosen in the file browser')
          }
        }
      }
    },
    isVisible: args => !args.isContext || Private.chosenFile(options) !== '',
    execute: args =>
      attempt(translator, trans.__('The form of an import could not be opened'), async () => {
        const { importKernel } = await import('./sharing/importDialog');
        const path = args.isContext ? Private.chosenFile(options) : args.path;
        await showJob(commands, importKernel(options, typeof path === 'string' ? path : ''));
      })
  });

  commands.addCommand(CommandIDs.adopt, {
    label: trans.__('Adopt Environments…'),
    caption: trans.__('Make GPU kernels of environments that were made elsewhere, or release them again'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () =>
      attempt(translator, trans.__('The environments could not be shown'), async () => {
        const { openForeign } = await import('./foreign/open');
        openForeign(options);
      })
  });

  commands.addCommand(CommandIDs.channels, {
    label: trans.__('Package Sources'),
    caption: trans.__('Show which channels, indexes and mirrors packages come from, and who says so'),
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () =>
      attempt(translator, trans.__('The package sources could not be shown'), async () => {
        const { openChannels } = await import('./channels/open');
        openChannels(options);
      })
  });

  addKernelCommands(options);
}

namespace Private {
  /**
   * The file that is chosen in the file browser, if a kernel can be made of it; else empty.
   */
  export function chosenFile({ browser }: ICommandsOptions): string {
    const [item, ...others] = browser?.selectedItems() ?? [];
    return item && others.length === 0 && isImportable(item.name) ? item.path : '';
  }

  const TEXT = { type: 'string' };
  const TEXTS = { type: 'array', items: TEXT };
  const SWITCH = { type: 'boolean' };

  /**
   * The fields of a spec, as far as a preset may have them.
   */
  export const SPEC_PROPERTIES = {
    name: TEXT,
    framework: TEXT,
    variant: TEXT,
    version: TEXT,
    python: TEXT,
    cuda: TEXT,
    target_cuda: TEXT,
    target_gpu: TEXT,
    installer: TEXT,
    channels: TEXTS,
    packages: TEXTS,
    pip: TEXTS,
    extras: TEXTS,
    companions: SWITCH,
    recipe: SWITCH,
    memory: TEXT,
    memory_fraction: { type: 'number' },
    placement: { type: 'object' },
    verify: SWITCH,
    display_name: TEXT,
    sys_prefix: SWITCH
  } satisfies Record<keyof Spec, ReadonlyPartialJSONObject>;

  /**
   * What the arguments of a command say of a new kernel; the Launcher adds some of its own.
   */
  export function preset(args: ReadonlyPartialJSONObject): Partial<Spec> {
    return Object.fromEntries(Object.entries(args).filter(([key]) => key in SPEC_PROPERTIES));
  }
}
