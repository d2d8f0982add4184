/**
 * What can be done with a kernel, as commands that take the name of its environment.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { attempt, showJob } from './attempt';
import { CommandIDs } from './commandIds';
import type { INotebookPlaces } from './notebooks';
import type { Environment, IGpuKernels, PackageEdit } from './tokens';

/**
 * What the commands work with.
 */
export interface IKernelCommandsOptions extends INotebookPlaces {
  app: JupyterFrontEnd;
  model: IGpuKernels;
  translator: ITranslator;
}

/**
 * Register the commands.
 */
export function addKernelCommands(options: IKernelCommandsOptions): void {
  const { app, model, translator } = options;
  const { commands } = app;
  const trans = translator.load('jupyter_gpu_kernels');
  const add = Private.adder(options, trans);

  add(
    CommandIDs.openNotebook,
    {
      label: trans.__('Open notebook'),
      caption: trans.__('Open a new notebook with this kernel in the current folder')
    },
    trans.__('The notebook could not be opened'),
    async name => (await import('./notebooks')).openNotebook(options, name)
  );

  add(
    CommandIDs.useInNotebook,
    {
      label: trans.__('Use in current notebook'),
      caption: trans.__('Change the kernel of the current notebook to this')
    },
    trans.__('The kernel could not be changed'),
    async name => (await import('./notebooks')).changeKernel(options, name),
    () => Boolean(options.tracker?.currentWidget) && options.tracker?.currentWidget === app.shell.currentWidget
  );

  add(
    CommandIDs.benchmark,
    {
      label: trans.__('Run benchmark'),
      caption: trans.__('Open a copy of the CPU versus GPU notebook in the current folder, and run it with this kernel')
    },
    trans.__('The benchmark could not be run'),
    async name => (await import('./notebooks')).openBenchmark(options, name)
  );

  add(
    CommandIDs.verify,
    {
      label: trans.__('Verify'),
      caption: trans.__('Start a kernel and see whether its framework computes on the GPU')
    },
    trans.__('The verification could not be started'),
    name => showJob(commands, model.verify(name))
  );

  add(
    CommandIDs.rebuild,
    {
      label: trans.__('Rebuild'),
      caption: trans.__('Build the environment anew, and exchange it when that has succeeded')
    },
    trans.__('The rebuild could not be started'),
    name => showJob(commands, model.rebuild(name))
  );

  add(
    CommandIDs.rename,
    {
      label: trans.__('Rename…'),
      caption: trans.__('Change its name, or the one shown in the Launcher and in notebooks')
    },
    trans.__('The kernel could not be renamed'),
    async name => {
      const [{ askNewName }, environment] = await Promise.all([
        import('./sharing/renameDialog'),
        Private.environment(model, name, trans)
      ]);
      const running = await Private.running(app, environment);
      await showJob(commands, askNewName({ environment, model, running, trans }));
    }
  );

  add(
    CommandIDs.clone,
    { label: trans.__('Clone…'), caption: trans.__('Make another environment and kernel of this one') },
    trans.__('The kernel could not be cloned'),
    async name => {
      const [{ askForClone }, environment] = await Promise.all([
        import('./sharing/cloneDialog'),
        Private.environment(model, name, trans)
      ]);
      await showJob(commands, askForClone({ environment, model, trans }));
    }
  );

  add(
    CommandIDs.share,
    { label: trans.__('Share…'), caption: trans.__('Write it to a file that others can make it of, or pack it') },
    trans.__('The kernel could not be shared'),
    async name => {
      const [{ shareKernel }, environment] = await Promise.all([
        import('./sharing/shareDialog'),
        Private.environment(model, name, trans)
      ]);
      await showJob(commands, shareKernel(options, environment));
    }
  );

  add(
    CommandIDs.packages,
    { label: trans.__('Packages…'), caption: trans.__('Show its packages, add some, update or remove them') },
    trans.__('The packages could not be shown'),
    async (name, { edit }) => {
      const { openPackages } = await import('./packages/open');
      openPackages(options, name, (edit ?? {}) as Partial<PackageEdit>);
    }
  );

  add(
    CommandIDs.changeGpus,
    {
      label: trans.__('GPUs and memory…'),
      caption: trans.__('Change which GPUs its kernels are given, and how much of their memory')
    },
    trans.__('The GPUs of the kernel could not be changed'),
    async name => {
      const [{ askGpuUse }, environment] = await Promise.all([
        import('./components/changeGpusDialog'),
        Private.environment(model, name, trans)
      ]);
      const wishes = await askGpuUse({ environment, hardware: model.hardware, trans });
      if (wishes !== null) {
        await model.change(name, wishes);
      }
    }
  );

  add(
    CommandIDs.remove,
    { label: trans.__('Remove…'), caption: trans.__('Remove the environment and its kernel, after a question') },
    trans.__('The kernel could not be removed'),
    async name => {
      const [{ confirmRemove }, environment] = await Promise.all([
        import('./components/removeDialog'),
        Private.environment(model, name, trans)
      ]);
      const running = await Private.running(app, environment);
      const usage = model.diskUsage(name);
      const { remove, stopKernels } = await confirmRemove({ environment, usage, running, trans });
      if (remove) {
        await showJob(commands, model.remove(name, stopKernels));
      }
    }
  );
}

namespace Private {
  type Texts = Pick<CommandRegistry.ICommandOptions, 'label' | 'caption'>;

  /**
   * What adds a command that takes the name of an environment.
   */
  export function adder({ app, translator }: IKernelCommandsOptions, trans: TranslationBundle) {
    const describedBy = {
      args: {
        type: 'object',
        properties: { name: { type: 'string', description: trans.__('The name of the environment') } },
        required: ['name']
      }
    };
    return (
      id: string,
      texts: Texts,
      failure: string,
      action: (name: string, args: ReadonlyPartialJSONObject) => Promise<unknown>,
      isPossible: () => boolean = () => true
    ): void => {
      app.commands.addCommand(id, {
        ...texts,
        describedBy,
        isEnabled: args => Boolean(args.name) && isPossible(),
        execute: async args => {
          const { name } = args;
          if (typeof name === 'string' && name) {
            await attempt(translator, failure, () => action(name, args));
          }
        }
      });
    };
  }

  /**
   * An environment, by its name.
   */
  export async function environment(model: IGpuKernels, name: string, trans: TranslationBundle): Promise<Environment> {
    await model.start();
    const found = model.environments.find(environment => environment.name === name);
    if (!found) {
      throw model.error ?? new Error(trans.__('There is no environment called %1.', name));
    }
    return found;
  }

  /**
   * How many kernels run from an environment.
   */
  export async function running(app: JupyterFrontEnd, environment: Environment): Promise<number> {
    const { kernels } = app.serviceManager;
    await kernels.refreshRunning();
    return [...kernels.running()].filter(kernel => kernel.name === environment.kernel_name).length;
  }
}
