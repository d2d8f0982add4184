/**
 * What an environment can be written to, and what that is good for.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Environment, FileFormat } from '../tokens';

/** What there is to choose from. */
export function formatsOf({ kind }: Environment): readonly FileFormat[] {
  return kind === 'conda'
    ? ['environment.yml', 'exact.yml', 'explicit.txt', 'pixi.lock', 'pack']
    : ['requirements.txt', 'environment.yml', 'pack'];
}

/** What a format is good for, in a sentence. */
export function formatSentence(trans: TranslationBundle, format: FileFormat): string {
  const sentences: Partial<Record<FileFormat, string>> = {
    'environment.yml': trans.__('What was asked for; the other machine chooses what fits it. conda takes it, too.'),
    'exact.yml': trans.__('The same with the exact version of every package.'),
    'explicit.txt': trans.__('The exact files with their checksums, for conda on the same platform.'),
    'pixi.lock': trans.__('The exact files with their checksums, for several platforms; pixi takes it, too.'),
    'requirements.txt': trans.__('Exact versions for pip and uv, with checksums where they are known.'),
    pack: trans.__('The exact packages themselves in one large file, for a machine without a network.')
  };
  return sentences[format] ?? '';
}
