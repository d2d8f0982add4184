/**
 * What can be done, as commands; what they need is fetched when they are used.
 */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { attempt, showJob } from './attempt';
import { CommandIDs } from './commandIds';
import { diagnoseIcon, gpuKernelIcon } from './icons';
import { addKernelCommands, type IKernelCommandsOptions } from './kernelCommands';
import { readDefaults } from './settings';
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

  addKernelCommands(options);
}

namespace Private {
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
