/**
 * Which variants a framework has, why it lacks the others, and what `auto` will take.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Framework, Hardware, Variant } from '../tokens';
import { sentence } from '../words';
import type { IFields } from './fields';

/**
 * What `auto` takes, as far as that can be told before a plan; the server decides.
 */
export interface IForecast {
  variant: 'gpu' | 'cpu' | null;
  /** One sentence. */
  reason: string;
}

/** Whether there is a build for it. */
export function hasVariant(framework: Framework, variant: Variant): boolean {
  return variant === 'auto' || framework.recipes.some(recipe => recipe.variant === variant);
}

/** Why a framework has no such build; empty if it has one. */
export function whyNot(trans: TranslationBundle, framework: Framework, variant: 'gpu' | 'cpu'): string {
  if (hasVariant(framework, variant)) {
    return '';
  }
  const absence = framework.absences.find(
    item => [variant, 'auto'].includes(item.variant) && item.installer === 'auto'
  );
  if (absence) {
    return sentence(trans, absence.reason);
  }
  return variant === 'gpu'
    ? trans.__('%1 has no build for GPUs.', framework.title)
    : trans.__('%1 has no build for the CPU alone.', framework.title);
}

/**
 * What `auto` will take.
 *
 * @param hardware - What this machine has; `null` while unknown.
 */
export function forecast(
  trans: TranslationBundle,
  framework: Framework,
  fields: IFields,
  hardware: Hardware | null
): IForecast {
  if (!hasVariant(framework, 'gpu')) {
    return { variant: 'cpu', reason: whyNot(trans, framework, 'gpu') };
  }
  if (fields.cuda.trim()) {
    return { variant: 'gpu', reason: trans.__('CUDA %1 is asked for.', fields.cuda.trim()) };
  }
  if (fields.targetCuda.trim()) {
    const reason = trans.__('The other machine’s driver allows CUDA up to %1.', fields.targetCuda.trim());
    return { variant: 'gpu', reason };
  }
  if (!hardware) {
    return { variant: null, reason: trans.__('For GPUs where this machine has one, else for the CPU.') };
  }
  const missing = whyNoCuda(trans, hardware);
  if (missing) {
    return hasVariant(framework, 'cpu')
      ? { variant: 'cpu', reason: missing }
      : { variant: null, reason: trans.__('%1 needs a GPU. %2', framework.title, missing) };
  }
  return { variant: 'gpu', reason: driverSentence(trans, hardware) };
}

/** What the driver of this machine allows, in a sentence; empty if there is none. */
export function driverSentence(trans: TranslationBundle, hardware: Hardware | null): string {
  if (!hardware?.cuda || whyNoCuda(trans, hardware)) {
    return '';
  }
  const names = [...new Set(hardware.gpus.map(({ name }) => name))].join(', ');
  return hardware.driver && names
    ? trans.__('This machine’s driver %1 allows CUDA up to %2 (%3).', hardware.driver, hardware.cuda, names)
    : trans.__('CUDA up to %1 is allowed here.', hardware.cuda);
}

function whyNoCuda(trans: TranslationBundle, hardware: Hardware): string {
  // Without a driver it is CONDA_OVERRIDE_CUDA that speaks of a CUDA: for GPUs of another machine.
  if (hardware.cuda && (hardware.driver === null || hardware.gpus.length)) {
    return '';
  }
  const said = hardware.reason || hardware.notes[0];
  return said ? sentence(trans, said) : trans.__('This machine offers no CUDA.');
}
