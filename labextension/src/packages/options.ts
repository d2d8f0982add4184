/**
 * What can be chosen of what was typed: the packages that were found, and the text as it stands.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { FoundPackage } from '../tokens';

import { type IWish, nameOf, type WishKind } from './edit';

/**
 * One of the list below the field.
 */
export interface IOption {
  key: string;
  label: string;
  /** What is to be said besides; may be empty. */
  note: string;
  /** The package; `null` for the text as it stands. */
  found: FoundPackage | null;
  /** How the text as it stands is installed. */
  kind: WishKind;
}

/** What begins a version, a build or an address. */
const MORE_THAN_A_NAME = /[^\w.-]/;

/**
 * The options, the most likely first.
 *
 * @param text - What was typed.
 * @param found - What was found last, be it for what was typed before.
 * @param isConda - Whether pip is another way than the environment's own.
 */
export function optionsOf(
  trans: TranslationBundle,
  text: string,
  found: readonly FoundPackage[],
  isConda: boolean
): IOption[] {
  const typed = text.trim();
  const name = plain(nameOf(typed));
  const packages = found
    .filter(item => plain(item.name).includes(name))
    .map((item): IOption => ({
      key: `${item.stage} ${item.name}`,
      label: item.name,
      note: [item.installed && trans.__('installed: %1', item.installed), item.source].filter(Boolean).join(' · '),
      found: item,
      kind: kindOf(item, isConda)
    }));
  const literal = (kind: WishKind, note: string): IOption => ({ key: kind, label: typed, note, found: null, kind });
  const asTyped = [
    literal('install', isConda ? trans.__('as typed, from conda') : trans.__('as typed')),
    ...(isConda ? [literal('pip', trans.__('as typed, with pip'))] : [])
  ];
  return MORE_THAN_A_NAME.test(typed) ? [...asTyped, ...packages] : [...packages, ...asTyped];
}

/** What is wished of a package that was found, in a version; any if empty. */
export function wishOf(found: FoundPackage, version: string, isConda: boolean): IWish {
  return { kind: kindOf(found, isConda), text: version ? `${found.name}==${version}` : found.name };
}

/** A name as all sources compare it. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

function kindOf({ stage }: FoundPackage, isConda: boolean): WishKind {
  return isConda && stage === 'wheels' ? 'pip' : 'install';
}
