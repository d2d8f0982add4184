/**
 * What shall change of an environment's packages, wish by wish.
 */
import type { PackageEdit } from '../tokens';

/** An edit that changes nothing. */
export const NOTHING: PackageEdit = { install: [], pip: [], uninstall: [], update: [], update_all: false };

/** What can be wished for a package. */
export type WishKind = 'install' | 'pip' | 'uninstall' | 'update';

/**
 * One wish.
 */
export interface IWish {
  /** `null` for the newest of everything. */
  kind: WishKind | null;
  /** A package, or a name; empty for everything. */
  text: string;
}

const KINDS: readonly WishKind[] = ['install', 'pip', 'uninstall', 'update'];

/** The newest of everything. */
export const UPDATE_ALL: IWish = { kind: null, text: '' };

/** The name in what is asked for: of `scikit-learn >=1.5`, or of `numpy[extra]==2.0`. */
export function nameOf(text: string): string {
  return /^[A-Za-z0-9_.-]*/.exec(text.trim())![0].toLowerCase();
}

/** Whether nothing is wished. */
export function isEmpty(edit: PackageEdit): boolean {
  return wishesOf(edit).length === 0;
}

/** The wishes of an edit. */
export function wishesOf(edit: PackageEdit): IWish[] {
  const wishes: IWish[] = KINDS.flatMap(kind => edit[kind].map(text => ({ kind, text })));
  return edit.update_all ? [UPDATE_ALL, ...wishes] : wishes;
}

/** Wish something more; what was wished for the same package before is no longer. */
export function withWish(edit: PackageEdit, wish: IWish): PackageEdit {
  const { kind, text } = wish;
  if (kind === null) {
    // Whatever is brought to the newest is among everything.
    return { ...edit, update: [], update_all: true };
  }
  const next = dropped(edit, nameOf(text));
  return { ...next, [kind]: [...next[kind], text.trim()] };
}

/** Wish something no longer. */
export function withoutWish(edit: PackageEdit, wish: IWish): PackageEdit {
  return wish.kind === null ? { ...edit, update_all: false } : dropped(edit, nameOf(wish.text));
}

function dropped(edit: PackageEdit, name: string): PackageEdit {
  const others = (texts: readonly string[]): string[] => texts.filter(text => nameOf(text) !== name);
  return {
    ...edit,
    install: others(edit.install),
    pip: others(edit.pip),
    uninstall: others(edit.uninstall),
    update: others(edit.update)
  };
}
