/**
 * What notebooks carry of their kernels: written without need for nobody.
 */
import { type PartialJSONValue } from '@lumino/coreutils';
import { describe, expect, it } from 'vitest';

import { environmentOf, KEY, read } from '../recipes/carried';
import { RecipeKeeper } from '../recipes/keeper';
import { FakeGpuKernels } from './fakes';
import { notebook, RECIPE, specsOf } from './recipeFixtures';
import { aJob } from './samples';

/** A keeper whose server has a recipe for each environment. */
function keeping(kernelName: string, metadata: Record<string, unknown> = {}, isWanted = true) {
  const made = notebook(kernelName, metadata);
  const model = new FakeGpuKernels();
  const asked: string[] = [];
  const recipes: Record<string, PartialJSONValue> = { 'TF-warp-speed': RECIPE, other: { ...RECIPE, name: 'other' } };
  model.answers.ask = what => {
    asked.push(what);
    return Promise.resolve(recipes[what.split('/')[1]]);
  };
  const kernelspecs = { specs: specsOf({ 'tf-warp-speed': 'TF-warp-speed', other: 'other' }) };
  const keeper = new RecipeKeeper({ panel: made.panel, model, kernelspecs, isWanted: () => isWanted });
  const settle = () => new Promise(resolve => setTimeout(resolve));
  const save = () => made.saveState.emit('started');
  return { ...made, gpuKernels: model, keeper, asked, recipes, settle, save };
}

describe('What a notebook carries', () => {
  it('is read as far as it is shown', () => {
    expect(read(RECIPE)).toEqual({
      name: 'TF-warp-speed',
      kernelName: 'tf-warp-speed',
      title: RECIPE.display_name,
      framework: 'tensorflow',
      version: '2.19.0',
      recipe: RECIPE
    });
  });

  it.each([
    undefined,
    null,
    'text',
    7,
    [],
    {},
    { name: '../up' },
    { name: 'a b' },
    { name: 7 },
    { name: 'x'.repeat(65) }
  ])('is nothing where it makes no sense: %j', recipe => expect(read(recipe)).toBeNull());

  it.each(['', 7, 'x'.repeat(101), '\u202egnp.exe', 'a\u2028b'])(
    'is shown by its name where its title is %j',
    title => {
      expect(read({ ...RECIPE, display_name: title })?.title).toBe('TF-warp-speed');
    }
  );

  it('is of a kernel of ours', () => {
    const specs = specsOf({ 'tf-warp-speed': 'TF-warp-speed' });
    expect(['tf-warp-speed', 'python3', 'none', 'toString'].map(name => environmentOf(specs, name))).toEqual([
      'TF-warp-speed',
      '',
      '',
      ''
    ]);
  });
});

describe('The keeper', () => {
  it('writes when something is saved, and once', async () => {
    const { written, save, settle } = keeping('tf-warp-speed');
    await settle();
    expect(written).toEqual([]);
    save();
    save();
    expect(written).toEqual([RECIPE]);
  });

  it('leaves a notebook alone that carries that already', async () => {
    const { written, save, settle } = keeping('tf-warp-speed', { [KEY]: structuredClone(RECIPE) });
    await settle();
    save();
    expect(written).toEqual([]);
  });

  it('writes at once where there is something to be saved anyway', async () => {
    const { model, sessionContext, written, settle } = keeping('python3');
    await settle();
    model.dirty = true;
    await sessionContext.changeKernel({ name: 'tf-warp-speed' });
    await settle();
    expect(written).toEqual([RECIPE]);
  });

  it('keeps what it carries while another kernel is used for a while', async () => {
    const metadata = { [KEY]: RECIPE };
    const { sessionContext, written, asked, save, settle } = keeping('tf-warp-speed', metadata);
    await settle();
    await sessionContext.changeKernel({ name: 'python3' });
    save();
    expect([written, asked.length, metadata[KEY]]).toEqual([[], 1, RECIPE]);
  });

  it('takes the recipe of another kernel of ours', async () => {
    const { sessionContext, recipes, written, save, settle } = keeping('tf-warp-speed', { [KEY]: RECIPE });
    await sessionContext.changeKernel({ name: 'other' });
    await settle();
    save();
    expect(written).toEqual([recipes.other]);
  });

  it('brings it up to date after a change of the environment', async () => {
    const { gpuKernels, sessionContext, recipes, written, save, settle } = keeping('tf-warp-speed', { [KEY]: RECIPE });
    await settle();
    for (const [digest, happen] of [
      ['a', () => sessionContext.statusChanged.emit('restarting')],
      ['b', () => gpuKernels.end(aJob({ kind: 'edit', name: 'TF-warp-speed', state: 'succeeded' }))]
    ] as const) {
      recipes['TF-warp-speed'] = { ...RECIPE, original: { digest } };
      happen();
      await settle();
      save();
    }
    expect(written).toEqual([
      { ...RECIPE, original: { digest: 'a' } },
      { ...RECIPE, original: { digest: 'b' } }
    ]);
  });

  it.each([
    ['that is read only', (made: ReturnType<typeof keeping>) => (made.model.readOnly = true)],
    ['that cannot be written', (made: ReturnType<typeof keeping>) => (made.context.contentsModel.writable = false)],
    ['whose kernel is being offered', (made: ReturnType<typeof keeping>) => (made.keeper.isHeld = true)],
    ['that was closed', (made: ReturnType<typeof keeping>) => made.keeper.dispose()]
  ])('writes nothing into one %s', async (_, prepare) => {
    const made = keeping('tf-warp-speed');
    await made.settle();
    prepare(made);
    made.save();
    expect(made.written).toEqual([]);
  });

  it('writes nothing where the person does not want it, nor of a kernel without a recipe', async () => {
    const unwanted = keeping('tf-warp-speed', {}, false);
    const adopted = keeping('python3');
    adopted.gpuKernels.answers.ask = () => Promise.reject(new Error('404'));
    await adopted.sessionContext.changeKernel({ name: 'other' });
    await unwanted.settle();
    unwanted.save();
    adopted.save();
    expect([unwanted.written, adopted.written]).toEqual([[], []]);
  });
});
