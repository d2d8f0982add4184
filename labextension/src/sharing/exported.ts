/**
 * What becomes of an exported file: saved on the server, downloaded, or copied.
 */
import { Clipboard } from '@jupyterlab/apputils';
import type { Contents } from '@jupyterlab/services';

import { freePath } from '../notebooks';
import type { ExportedFile } from '../tokens';

/**
 * Save a file in a folder of the server, under a name that none has.
 *
 * @returns Its path.
 */
export async function save(contents: Contents.IManager, folder: string, file: ExportedFile): Promise<string> {
  const [, stem, extension] = /^(.*?)(\.[^.]*)?$/.exec(file.file_name)!;
  const path = await freePath(contents, folder, stem, extension ?? '');
  await contents.save(path, { type: 'file', format: 'text', content: file.text });
  return path;
}

/** Let the browser download a file. */
export function download(file: ExportedFile): void {
  const url = URL.createObjectURL(new Blob([file.text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = file.file_name;
  link.click();
  // The browser has read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Copy its text. */
export function copy(file: ExportedFile): void {
  Clipboard.copyToSystem(file.text);
}
