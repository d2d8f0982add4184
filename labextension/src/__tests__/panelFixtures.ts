/**
 * What the panel needs besides the model, without an application.
 */
import type { KernelSpec, Session } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Signal } from '@lumino/signaling';

import { CommandIDs } from '../commandIds';
import type { Environment } from '../tokens';

export const trans = nullTranslator.load('jupyter_gpu_kernels');

/** A registry with our commands, and a note of each that was executed. */
export class NotedCommands extends CommandRegistry {
  constructor() {
    super();
    for (const id of Object.values(CommandIDs)) {
      this.addCommand(id, {
        label: id,
        describedBy: { args: { type: 'object', properties: {} } },
        isEnabled: () => !this.disabled.has(id),
        execute: args => {
          this.noted.push({ id, ...args });
          return this.answer();
        }
      });
    }
  }

  readonly noted: unknown[] = [];
  readonly disabled = new Set<string>();
  answer: () => Promise<void> = () => Promise.resolve();
}

/** Sessions that are what they are told. */
export class SomeSessions {
  readonly runningChanged = new Signal<this, Session.IModel[]>(this);

  constructor(private _models: Session.IModel[] = []) {}

  get models(): Session.IModel[] {
    return this._models;
  }
  set models(value: Session.IModel[]) {
    this._models = value;
    this.runningChanged.emit(value);
  }

  running(): IterableIterator<Session.IModel> {
    return this._models[Symbol.iterator]();
  }

  /** As the panel wants it, which needs no more. */
  get manager(): Session.IManager {
    return this as unknown as Session.IManager;
  }
}

/** A session of a notebook. */
export function aSession(kernel: string, path: string, id = `kernel-of-${path}`): Session.IModel {
  return {
    id: path,
    path,
    name: path.slice(path.lastIndexOf('/') + 1),
    type: 'notebook',
    kernel: { id, name: kernel }
  };
}

/** Kernelspecs of the environments; none where JupyterLab could not read them. */
export function someSpecs(environments: readonly Environment[] | null): KernelSpec.IManager {
  const specs = environments && {
    default: 'python3',
    kernelspecs: Object.fromEntries(environments.map(({ kernel_name }) => [kernel_name, { name: kernel_name }]))
  };
  const manager = { specs };
  return Object.assign(manager, { specsChanged: new Signal(manager) }) as unknown as KernelSpec.IManager;
}
