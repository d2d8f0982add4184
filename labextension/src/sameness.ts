/**
 * Keeping the objects that did not change, so that nothing is drawn anew for an answer that says the same.
 */
import { JSONExt, type PartialJSONValue } from '@lumino/coreutils';

/**
 * Whether two answers of the server say the same.
 */
export function isSame<T extends object>(one: T | null, other: T | null): boolean {
  return one === other || JSONExt.deepEqual(one as PartialJSONValue, other as PartialJSONValue);
}

/**
 * Put what is known into the place of what says the same.
 *
 * @param known - What is known.
 * @param read - What was read.
 * @param key - What tells things apart.
 *
 * @returns The things of `read`, in its order; `known` itself if nothing has changed.
 */
export function keepUnchanged<T extends object>(
  known: readonly T[],
  read: readonly T[],
  key: (thing: T) => string
): readonly T[] {
  const before = new Map(known.map(thing => [key(thing), thing]));
  const kept = read.map(thing => {
    const old = before.get(key(thing));
    return old && isSame(old, thing) ? old : thing;
  });
  return kept.length === known.length && kept.every((thing, index) => thing === known[index]) ? known : kept;
}
