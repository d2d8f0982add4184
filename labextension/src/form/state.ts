/**
 * The state of the form, and how it changes; nothing is asked or shown here.
 */
import type { ErrorReport, Framework, IDefaults, Plan, Spec } from '../tokens';
import { fieldsOf, samePlan, specOf, type IFields } from './fields';

/**
 * What is said of the name, beside the field.
 */
export type NameNote =
  /** There is none. */
  | { kind: 'missing' }
  /** The server does not take it, and says why. */
  | { kind: 'refused'; reason: unknown }
  /** The server could not be asked for it, or about it. */
  | { kind: 'unknown'; reason: unknown };

/**
 * Where the keyboard shall go; a new object each time.
 */
export interface IAttention {
  to: 'answer' | 'flaw' | 'name' | 'target';
}

/**
 * What the form knows.
 */
export interface IState {
  fields: IFields;
  /** What was asked for that the form has no field for. */
  kept: Partial<Spec>;
  /** Whether the person chose the name, so that no suggestion may take its place. */
  named: boolean;
  nameNote: NameNote | null;
  /** `null` while unknown. */
  frameworks: readonly Framework[] | null;
  /** Why the frameworks could not be read. */
  catalogueFailure: { reason: unknown } | null;
  /** What the server is asked just now. */
  phase: 'editing' | 'solving' | 'creating';
  /** The last plan, with what it is a plan of. */
  answer: { spec: Spec; plan: Plan } | null;
  /** Why there was no answer the last time. */
  failure: { reason: unknown } | null;
  attention: IAttention | null;
}

/**
 * What happens to the form.
 */
export type Action =
  | { type: 'catalogue-read'; frameworks: readonly Framework[] }
  | { type: 'catalogue-failed'; reason: unknown }
  | { type: 'edited'; change: Partial<IFields> }
  | { type: 'name-suggested'; framework: string; name: string }
  | { type: 'suggestion-failed'; framework: string; reason: unknown }
  | { type: 'name-checked'; name: string; problem: ErrorReport | null }
  | { type: 'check-failed'; name: string; reason: unknown }
  | { type: 'name-missed' }
  | { type: 'flawed' }
  | { type: 'name-refused'; reason: unknown }
  | { type: 'solving' }
  | { type: 'stopped' }
  | { type: 'planned'; spec: Spec; plan: Plan }
  | { type: 'creating' }
  | { type: 'failed'; reason: unknown }
  | { type: 'target-wanted' };

/** What the form begins with. */
export function begin(defaults: IDefaults, preset: Partial<Spec>): IState {
  return {
    fields: fieldsOf(defaults, preset),
    kept: preset,
    named: !!preset.name,
    nameNote: null,
    frameworks: null,
    catalogueFailure: null,
    phase: 'editing',
    answer: null,
    failure: null,
    attention: null
  };
}

/** What becomes of the form. */
export function reduce(state: IState, action: Action): IState {
  switch (action.type) {
    case 'catalogue-read':
      return withCatalogue(state, action.frameworks);
    case 'catalogue-failed':
      return { ...state, catalogueFailure: { reason: action.reason } };
    case 'edited':
      return edited(state, action.change);
    case 'name-suggested':
      return waitsForSuggestion(state, action.framework)
        ? { ...state, fields: { ...state.fields, name: action.name }, nameNote: null }
        : state;
    case 'suggestion-failed':
      return waitsForSuggestion(state, action.framework)
        ? { ...state, nameNote: { kind: 'unknown', reason: action.reason } }
        : state;
    case 'name-checked':
      return action.name === state.fields.name.trim()
        ? { ...state, nameNote: action.problem && { kind: 'refused', reason: action.problem } }
        : state;
    case 'check-failed':
      return action.name === state.fields.name.trim()
        ? { ...state, nameNote: { kind: 'unknown', reason: action.reason } }
        : state;
    case 'name-missed':
      return { ...state, nameNote: { kind: 'missing' }, attention: { to: 'name' } };
    case 'flawed':
      return { ...state, attention: { to: 'flaw' } };
    case 'name-refused':
      return {
        ...state,
        phase: 'editing',
        nameNote: { kind: 'refused', reason: action.reason },
        attention: { to: 'name' }
      };
    case 'solving':
      return { ...state, phase: 'solving', failure: null };
    case 'stopped':
      return { ...state, phase: 'editing' };
    case 'planned': {
      const { spec, plan } = action;
      return { ...state, phase: 'editing', answer: { spec, plan }, failure: null, attention: { to: 'answer' } };
    }
    case 'creating':
      return { ...state, phase: 'creating', failure: null };
    case 'failed':
      return { ...state, phase: 'editing', failure: { reason: action.reason }, attention: { to: 'answer' } };
    case 'target-wanted':
      return { ...state, attention: { to: 'target' } };
  }
}

/** What is asked for now. */
export function currentSpec(state: IState): Spec {
  return specOf(state.fields, state.kept);
}

/** The plan of what is asked for now; `null` without one, or where something was changed since. */
export function freshPlan(state: IState): Plan | null {
  const { answer } = state;
  return answer && samePlan(answer.spec, currentSpec(state)) ? answer.plan : null;
}

/** What the primary button does. */
export function primaryAction(state: IState): 'preview' | 'create' {
  const plan = freshPlan(state);
  return plan && !plan.refusal ? 'create' : 'preview';
}

/** The framework that is chosen, if the catalogue has it. */
export function chosenFramework(state: IState): Framework | null {
  return state.frameworks?.find(({ id }) => id === state.fields.framework) ?? null;
}

function withCatalogue(state: IState, frameworks: readonly Framework[]): IState {
  const next: IState = { ...state, frameworks, catalogueFailure: null };
  const first = frameworks[0];
  // A preset may speak of a framework that only its author's catalogue has; the server will say so.
  if (chosenFramework(next) || state.kept.framework || !first) {
    return next;
  }
  return edited(next, { framework: first.id });
}

function edited(state: IState, change: Partial<IFields>): IState {
  const next: IState = { ...state, fields: { ...state.fields, ...change } };
  if (change.name !== undefined) {
    next.named = change.name.trim() !== '';
    next.nameNote = null;
  }
  if (change.framework !== undefined && change.framework !== state.fields.framework) {
    // Versions and extras are those of their framework.
    next.fields.version = change.version ?? '';
    next.fields.extras = change.extras ?? [];
    const { variant } = next.fields;
    const framework = chosenFramework(next);
    if (framework && variant !== 'auto' && !framework.recipes.some(recipe => recipe.variant === variant)) {
      next.fields.variant = 'auto';
    }
  }
  if (state.phase === 'solving' && !samePlan(currentSpec(state), currentSpec(next))) {
    next.phase = 'editing';
  }
  return next;
}

function waitsForSuggestion(state: IState, framework: string): boolean {
  return !state.named && state.fields.framework === framework;
}
