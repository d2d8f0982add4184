/**
 * A large file of this computer, laid beside those of the server piece by piece.
 *
 * The file browser's own upload asks about large files in a dialog, which would wait below the one that is open.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import { freePath } from '../notebooks';

/** Bytes of a piece. */
const PIECE = 4 * 1024 * 1024;

/**
 * Upload a file, under a name that none has.
 *
 * @param folder - Where it shall be.
 * @param signal - Whether it is wanted any longer.
 * @param onSent - Called with how many bytes are there.
 *
 * @returns Its path on the server.
 */
export async function uploadFile(
  contents: Contents.IManager,
  folder: string,
  file: File,
  signal: AbortSignal,
  onSent: (bytes: number) => void
): Promise<string> {
  const [, stem, extension] = /^(.*?)((?:\.gpu-kernel)?\.[^.]*)?$/.exec(file.name)!;
  const path = await freePath(contents, folder, stem, extension ?? '');
  try {
    const name = PathExt.basename(path);
    const count = Math.max(1, Math.ceil(file.size / PIECE));
    for (let index = 0; index < count; index++) {
      signal.throwIfAborted();
      onSent(index * PIECE);
      const content = await Private.base64(file.slice(index * PIECE, (index + 1) * PIECE));
      // The server takes the last piece for the end by its number; one alone is a file as any other.
      const chunk = index + 1 < count ? index + 1 : -1;
      await contents.save(path, { type: 'file', format: 'base64', name, content, ...(count > 1 && { chunk }) });
    }
  } catch (reason) {
    // Half a file is of no use to anybody; that it cannot be removed is less than what went wrong.
    await contents.delete(path).catch(() => undefined);
    throw reason;
  }
  return contents.localPath(path);
}

namespace Private {
  /** A piece as it can be sent in JSON. */
  export function base64(piece: Blob): Promise<string> {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''));
      reader.onerror = () => reject(reader.error!);
      reader.readAsDataURL(piece);
    });
  }
}
