/**
 * The words for what the server says, and how errors are explained.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, describe, expect, it } from 'vitest';

import { explain } from '../explanation';
import { ApiError, LocalCodes } from '../request';
import type { Stage } from '../tokens';
import { countPhrase, sentence, stageWord } from '../words';

const trans = nullTranslator.load('');

const REPORT = { code: 'name_taken', message: 'tf belongs to another kernel.', cure: 'Take another.', detail: 'raw' };

afterEach(() => {
  document.documentElement.lang = '';
});

describe('A value of the server', () => {
  it('has a word', () => {
    expect(stageWord(trans, 'link')).toBe('Installing');
  });

  it('is shown as it came if it is newer than the panel', () => {
    expect(stageWord(trans, 'teleport' as Stage)).toBe('teleport');
  });

  it('that is counted is counted in its own plural', () => {
    expect(countPhrase(trans, 'packages', 1, 34)).toBe('1 of 34 packages');
    expect(countPhrase(trans, 'cells', 0, 1)).toBe('0 of 1 cell');
    expect(countPhrase(trans, 'parsecs', 1, 12)).toBe('1 of 12');
  });

  it('that is a sentence stays itself, whatever it has in it', () => {
    expect(sentence(trans, '100% of %1 is %20 there.')).toBe('100% of %1 is %20 there.');
  });
});

describe('An error', () => {
  it.each([new ApiError(409, REPORT), REPORT])('of the server is said in its own words', reason => {
    const { message, cure, detail } = REPORT;
    expect(explain(trans, reason)).toEqual({ message, cure, detail });
  });

  it('has a headline of its own in other languages', () => {
    document.documentElement.lang = 'zh-CN';
    expect(explain(trans, REPORT).message).toBe('That name is taken. tf belongs to another kernel.');
    expect(explain(trans, { ...REPORT, code: 'new_code' }).message).toBe('tf belongs to another kernel.');
  });

  it('of the way to the server says what to look at', () => {
    const report = (code: string) => ({ code, message: 'TypeError: Failed to fetch', cure: '', detail: '<html>' });
    expect(explain(trans, report(LocalCodes.UNREACHABLE))).toMatchObject({
      message: 'The Jupyter server does not answer.',
      cure: expect.stringContaining('Check') as unknown,
      detail: 'TypeError: Failed to fetch'
    });
    expect(explain(trans, report(LocalCodes.FOREIGN_ANSWER))).toMatchObject({
      message: 'Something else than the GPU kernels extension answered: TypeError: Failed to fetch.',
      detail: '<html>'
    });
  });

  it('of a page that is older than its server asks to reload it', () => {
    const error = Object.assign(new Error('Loading chunk 1 failed.'), { name: 'ChunkLoadError' });
    expect(explain(trans, error).cure).toContain('Reload the page');
  });

  it.each([
    [new Error('Something else.'), 'Something else.'],
    ['a text', 'a text'],
    [null, 'null']
  ])('that is %s is said too', (reason, message) => {
    expect(explain(trans, reason)).toEqual({ message, cure: '', detail: '' });
  });
});
