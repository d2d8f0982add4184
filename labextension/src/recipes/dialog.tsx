/**
 * What would be built here of a notebook's kernel, before anything is.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useCallback } from 'react';

import { useAnswer } from '../components/answer';
import { PlanView, Warnings } from '../form/planView';
import { Problem } from '../form/problem';
import { ApiError } from '../request';
import type { components } from '../schema';
import { SheetForm, useSubmission } from '../sharing/sheetForm';
import { Sheet } from '../sheet';
import type { IGpuKernels, Job } from '../tokens';
import { sentence } from '../words';
import type { ICarried } from './carried';

type RecipePlan = components['schemas']['RecipePlan'];

/**
 * Show what would be built.
 *
 * @returns The job that builds it, or the name of an environment that is to be used instead; `null` for neither.
 */
export function askToBuild(
  model: IGpuKernels,
  carried: ICarried,
  trans: TranslationBundle
): Promise<Job | string | null> {
  return Sheet.ask<Job | string>(trans.__('Build the kernel of this notebook'), end => (
    <BuildQuestion model={model} carried={carried} trans={trans} onEnd={end} />
  ));
}

/**
 * Properties of {@link BuildQuestion}.
 */
export interface IBuildQuestionProps {
  model: IGpuKernels;
  carried: ICarried;
  trans: TranslationBundle;
  onEnd: (answer: Job | string | null) => void;
}

/**
 * The plan for this machine, and whether to build that.
 */
export function BuildQuestion({ model, carried, trans, onEnd }: IBuildQuestionProps): JSX.Element {
  const { recipe } = carried;
  const question = useCallback(
    (signal: AbortSignal) =>
      model.ask<RecipePlan>(['recipes', 'plan'], { method: 'POST', body: { recipe, name: null }, signal }),
    [model, recipe]
  );
  const { value, failure, isAsking, ask } = useAnswer(question);
  const submission = useSubmission();
  const cannot = failure !== null || Boolean(value?.plan.refusal);
  // What the notebook asks for does not get better; a network or a driver may.
  const isHopeless = failure?.reason instanceof ApiError && failure.reason.status === 400;
  const build = (answer: RecipePlan): void => submission.run(async () => onEnd(await model.create(answer.spec)));
  return (
    <SheetForm
      trans={trans}
      submit={isHopeless ? undefined : cannot ? trans.__('Try again') : trans.__('Build')}
      cancel={cannot ? trans.__('Close') : trans.__('Cancel')}
      isBusy={isAsking || submission.isBusy}
      failure={submission.failure ?? failure}
      status={isAsking ? trans.__('Finding packages that fit this computer…') : ''}
      onSubmit={() => (value && !cannot ? build(value) : ask())}
      onCancel={() => onEnd(null)}
    >
      <p>{trans.__('This notebook was made with the kernel %1.', carried.title)}</p>
      {value && !isAsking && !failure ? <Planned answer={value} trans={trans} onUse={onEnd} /> : null}
    </SheetForm>
  );
}

interface IPlannedProps {
  answer: RecipePlan;
  trans: TranslationBundle;
  onUse: (name: string) => void;
}

function Planned({ answer, trans, onUse }: IPlannedProps): JSX.Element {
  const { plan, spec, differences, present } = answer;
  if (plan.refusal) {
    return (
      <section className="jp-GpuKernels-Form-answer">
        <h3>{trans.__('This cannot be built')}</h3>
        <Problem
          trans={trans}
          message={sentence(trans, plan.refusal.reason)}
          cure={sentence(trans, plan.refusal.cure)}
          detail={plan.refusal.detail}
        />
        <Warnings trans={trans} warnings={plan.warnings} />
      </section>
    );
  }
  const wanted = [...spec.extras, ...spec.packages, ...spec.pip];
  return (
    <section className="jp-GpuKernels-Form-answer">
      <h3>{trans.__('To be built here as %1', spec.name)}</h3>
      {present ? (
        <p className="jp-GpuKernels-Form-note">
          {trans.__('There is a kernel here already that was made in the same way: %1.', present)}{' '}
          <button type="button" className="jp-mod-styled jp-mod-minimal" onClick={() => onUse(present)}>
            {trans.__('Use %1 instead', present)}
          </button>
        </p>
      ) : null}
      <Differences differences={differences} trans={trans} />
      {wanted.length ? (
        <p>
          {trans.__(
            'Besides its framework the notebook wants %1. Packages are programs: build it if you trust whoever it is from.',
            wanted.join(', ')
          )}
        </p>
      ) : null}
      <PlanView trans={trans} plan={plan} />
    </section>
  );
}

function Differences({
  differences,
  trans
}: Pick<RecipePlan, 'differences'> & { trans: TranslationBundle }): JSX.Element {
  if (!differences.length) {
    return <p>{trans.__('It will be as it was.')}</p>;
  }
  return (
    <table className="jp-GpuKernels-differences">
      <caption>{trans.__('What will not be as it was')}</caption>
      <thead>
        <tr>
          <td />
          <th scope="col">{trans.__('There')}</th>
          <th scope="col">{trans.__('Here')}</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ what, before, after }) => (
          <tr key={what}>
            <th scope="row">{Private.word(trans, what)}</th>
            <td>{Private.word(trans, before)}</td>
            <td>{Private.word(trans, after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

namespace Private {
  /**
   * What the server calls something that differs, in the reader's language; names and versions as they are.
   */
  export function word(trans: TranslationBundle, text: string): string {
    const words: Record<string, string> = {
      'Built for': trans.__('Built for'),
      'Packages from': trans.__('Packages from'),
      Platform: trans.__('Platform'),
      Channels: trans.__('Channels'),
      'not used here': trans.__('not used here'),
      'Other packages': trans.__('Other packages'),
      'as they were then': trans.__('as they were then'),
      'as they are now': trans.__('as they are now')
    };
    return Object.hasOwn(words, text) ? words[text] : text;
  }
}
