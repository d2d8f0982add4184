/**
 * Which files a kernel can be made of, by their names.
 */
const NAMES = /(\.ya?ml|\.lock|explicit[^/]*\.txt|requirements[^/]*\.txt|recipe\.json|\.gpu-kernel\.tar)$/i;

/** Whether a file is called like one that a kernel can be made of. */
export function isImportable(name: string): boolean {
  return NAMES.test(name);
}

/** Whether it is called like a pack, which is too large to be sent as a text. */
export function isPack(name: string): boolean {
  return name.toLowerCase().endsWith('.tar');
}
