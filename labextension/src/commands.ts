/**
 * What can be done, as commands; what they need is fetched when they are used.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import type { ITranslator } from '@jupyterlab/translation';
import { refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandIDs } from './commandIds';
import { gpuKernelIcon } from './icons';
import type { INotebookPlaces } from './notebooks';
import { readDefaults } from './settings';
import type { IGpuKernels, Spec } from './tokens';

/**
 * What the commands work with.
 */
export interface ICommandsOptions extends INotebookPlaces {
  app: JupyterFrontEnd;
  model: IGpuKernels;
  translator: ITranslator;
  settings: ISettingRegistry | null;
}

/**
 * Register the commands, but for that of the panel.
 */
export function addCommands(options: ICommandsOptions): void {
  const { app, model, translator, settings } = options;
  const { commands } = app;
  const trans = translator.load('jupyter_gpu_kernels');

  /** Do something; what goes wrong is shown under a title. */
  async function attempt(title: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (reason) {
      const { showFailure } = await import('./failure');
      await showFailure(title, reason, translator);
    }
  }

  /** Show what a job does, where there is a panel. */
  async function showJob(begun: Promise<unknown>): Promise<void> {
    await begun;
    if (commands.hasCommand(CommandIDs.show)) {
      await commands.execute(CommandIDs.show);
    }
  }

  const noArguments = { args: { type: 'object', properties: {} } };
  const theName = {
    args: {
      type: 'object',
      properties: { name: { type: 'string', description: trans.__('The name of the environment') } },
      required: ['name']
    }
  };

  /** Add a command that takes the name of an environment. */
  function addNamed(
    id: string,
    texts: Pick<CommandRegistry.ICommandOptions, 'label' | 'caption'>,
    failure: string,
    action: (name: string) => Promise<unknown>,
    isEnabled: () => boolean = () => true
  ): void {
    commands.addCommand(id, {
      ...texts,
      describedBy: theName,
      isEnabled: args => Boolean(args.name) && isEnabled(),
      execute: async args => {
        const { name } = args;
        if (typeof name === 'string' && name) {
          await attempt(failure, () => action(name));
        }
      }
    });
  }

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
      attempt(trans.__('The form of a new kernel could not be opened'), async () => {
        const [{ createKernel }, defaults] = await Promise.all([import('./createDialog'), readDefaults(settings)]);
        const job = await createKernel({ model, translator, defaults, preset: Private.preset(args) });
        if (job) {
          await showJob(Promise.resolve());
        }
      })
  });

  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh GPU Kernels'),
    caption: trans.__('Read the list of GPU kernels anew'),
    icon: refreshIcon,
    describedBy: noArguments,
    execute: () => model.refresh()
  });

  addNamed(
    CommandIDs.openNotebook,
    {
      label: trans.__('Open notebook'),
      caption: trans.__('Open a new notebook with this kernel in the current folder')
    },
    trans.__('The notebook could not be opened'),
    async name => (await import('./notebooks')).openNotebook(options, name)
  );

  addNamed(
    CommandIDs.useInNotebook,
    {
      label: trans.__('Use in current notebook'),
      caption: trans.__('Change the kernel of the current notebook to this')
    },
    trans.__('The kernel could not be changed'),
    async name => (await import('./notebooks')).changeKernel(options, name),
    () => Boolean(options.tracker?.currentWidget) && options.tracker?.currentWidget === app.shell.currentWidget
  );

  addNamed(
    CommandIDs.benchmark,
    {
      label: trans.__('Run benchmark'),
      caption: trans.__('Open a copy of the CPU versus GPU notebook in the current folder, and run it with this kernel')
    },
    trans.__('The benchmark could not be run'),
    async name => (await import('./notebooks')).openBenchmark(options, name)
  );

  addNamed(
    CommandIDs.verify,
    {
      label: trans.__('Verify'),
      caption: trans.__('Start a kernel and see whether its framework computes on the GPU')
    },
    trans.__('The verification could not be started'),
    name => showJob(model.verify(name))
  );

  addNamed(
    CommandIDs.rebuild,
    {
      label: trans.__('Rebuild'),
      caption: trans.__('Build the environment anew, and exchange it when that has succeeded')
    },
    trans.__('The rebuild could not be started'),
    name => showJob(model.rebuild(name))
  );

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
        await attempt(trans.__('The job could not be cancelled'), () => model.cancel(id));
      }
    }
  });
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
    installer: TEXT,
    channels: TEXTS,
    packages: TEXTS,
    pip: TEXTS,
    companions: SWITCH,
    memory: TEXT,
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
