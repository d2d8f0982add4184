/**
 * The Chinese catalogue has every text, and none that is no longer used.
 */
/// <reference types="vite/client" />
import { describe, expect, it } from 'vitest';

import { type Files, type IMessage, ofFrameworks, ofPython, ofSettings, ofSource, ofSources } from './messages';

const catalogue = only<Record<string, string[]>>(
  import.meta.glob('../../../jupyter_gpu_kernels/locale/zh_CN/LC_MESSAGES/jupyter_gpu_kernels.json', {
    eager: true,
    import: 'default'
  })
);

const sources = ofSources(
  import.meta.glob(['../**/*.{ts,tsx}', '!../schema.ts', '!../**/*.d.ts', '!../__tests__/**'], {
    query: '?raw',
    import: 'default',
    eager: true
  })
);

const messages = new Map(
  [
    ...sources.messages,
    ...ofSettings(only(import.meta.glob('../../schema/panel.json', { eager: true, import: 'default' }))),
    ...ofFrameworks(
      import.meta.glob('../../../jupyter_gpu_kernels/build/planning/frameworks/*.toml', {
        query: '?raw',
        import: 'default',
        eager: true
      }) as Files
    ),
    // Why there is no GPU, and what cannot be told of one.
    ...ofPython(
      import.meta.glob(
        '../../../jupyter_gpu_kernels/{hardware/{nvml,probe,surroundings,vendor},serve/gpus/shares}.py',
        {
          query: '?raw',
          import: 'default',
          eager: true
        }
      ) as Files
    )
  ].map(message => [message.key, message])
);

const translations = Object.entries(catalogue).filter(([key]) => key !== '');

/** What is called the same in every language. */
const NAMES = /^(%\d|[\s·：（）/×]|conda|PyPI|CUDA|GPU|CPU|Python)*$/;

/** The content of a file that is there once. */
function only<T extends object>(files: Record<string, unknown>): T {
  const [content, ...others] = Object.values(files);
  expect([typeof content, others]).toEqual(['object', []]);
  return content as T;
}

/** How many plurals a message has in English. */
function plurals(key: string): number {
  return (messages.get(key)?.forms.length ?? 1) - 1;
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/%\d/g))].sort();
}

describe('The Chinese catalogue', () => {
  it('says which domain and language it is of', () => {
    expect(catalogue['']).toMatchObject({
      domain: 'jupyter_gpu_kernels',
      language: 'zh-CN',
      plural_forms: 'nplurals=1; plural=0;'
    });
  });

  it('has every text', () => {
    expect([...messages.keys()].filter(key => !(key in catalogue))).toEqual([]);
  });

  it('has no text that is no longer used', () => {
    expect(translations.map(([key]) => key).filter(key => !messages.has(key))).toEqual([]);
  });

  it('is in the order of its keys', () => {
    const keys = translations.map(([key]) => key);
    expect(keys).toEqual([...keys].sort());
  });

  it('has one form of each, in Chinese', () => {
    const wrong = translations.filter(([, [form]]) => !/\p{Script=Han}/u.test(form) && !NAMES.test(form));
    expect(wrong).toEqual([]);
  });

  it('has a second form, which is empty, where there is a plural: JupyterLab asks for as many as there are in English', () => {
    const wrong = translations.filter(([key, [, ...others]]) => others.join() !== '' || others.length !== plurals(key));
    expect(wrong).toEqual([]);
  });

  it('has the placeholders of the text', () => {
    const wrong = translations.filter(([key, [translation]]) => {
      const wanted = messages.get(key)?.forms.map(placeholders) ?? [];
      return !wanted.some(some => some.join() === placeholders(translation).join());
    });
    expect(wrong).toEqual([]);
  });

  it('has a space between Chinese and Latin, and Chinese punctuation after Chinese', () => {
    const wrong = translations.filter(([, [translation]]) =>
      /\p{Script=Han}[\w%]|[\w%]\p{Script=Han}|\p{Script=Han}[,.:;?!]/u.test(translation.replace(/%\d/g, ' '))
    );
    expect(wrong).toEqual([]);
  });
});

describe('The sources', () => {
  it('have literals only, but for what other files have', () => {
    expect([...new Set(sources.dynamic)].sort()).toEqual(['../settings.ts', '../words.ts']);
  });

  it('are read in all their forms', () => {
    const source = `
      trans.__('a'); this._trans._n("%1 b", \`%1 bs\`, n); props.trans._p('where', 'c'); trans._np('w', 'd', 'ds', 2);
      labTrans.__('not ours'); other.__('nor this'); trans.__(\`no \${literal}\`);`;
    expect(ofSource(source, 'a.tsx')).toEqual({
      messages: [
        { key: 'a', forms: ['a'] },
        { key: '%1 b', forms: ['%1 b', '%1 bs'] },
        { key: 'where\u0004c', forms: ['c'] },
        { key: 'w\u0004d', forms: ['d', 'ds'] }
      ] satisfies IMessage[],
      dynamic: ['trans.__(`no ${literal}`)']
    });
  });
});
