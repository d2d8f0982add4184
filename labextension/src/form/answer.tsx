/**
 * What the server answered: a plan, a refusal with its cure, or why there is no answer.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import * as React from 'react';

import { explain } from '../explanation';
import type { Framework, Plan } from '../tokens';
import { sentence, variantWord } from '../words';
import type { IFields } from './fields';
import { PlanView, Warnings } from './planView';
import { Problem } from './problem';
import { freshPlan, type IState } from './state';
import { hasVariant } from './variants';

/**
 * Properties of {@link Answer}.
 */
export interface IAnswerProps {
  trans: TranslationBundle;
  state: IState;
  headingRef: React.RefObject<HTMLHeadingElement>;
  /** Change fields, and ask again. */
  onCure: (change: Partial<IFields>) => void;
  /** Go to where another machine's driver is named. */
  onTarget: () => void;
}

/**
 * The last answer, and whether it still answers what is asked for.
 */
export function Answer(props: IAnswerProps): JSX.Element | null {
  const { trans, state, headingRef } = props;
  const { failure, answer } = state;
  const id = React.useId();
  if (!failure && !answer) {
    return null;
  }
  const isStale = !failure && !freshPlan(state);
  const classes = ['jp-GpuKernels-Form-answer', ...(isStale ? ['jp-mod-stale'] : [])];
  return (
    <section className={classes.join(' ')} aria-labelledby={id}>
      <h3 id={id} ref={headingRef} tabIndex={-1}>
        {failure
          ? trans.__('That did not work')
          : answer?.plan.refusal
            ? trans.__('This cannot be built')
            : answer
              ? planTitle(trans, answer.plan, titleOf(state.frameworks, answer.plan))
              : ''}
      </h3>
      {isStale ? (
        <p className="jp-GpuKernels-Form-note">{trans.__('Something was changed since: preview it again.')}</p>
      ) : null}
      {failure ? (
        <Problem trans={trans} {...explain(trans, failure.reason)} />
      ) : answer?.plan.refusal ? (
        <Refused {...props} plan={answer.plan} refusal={answer.plan.refusal} />
      ) : answer ? (
        <PlanView trans={trans} plan={answer.plan} />
      ) : null}
    </section>
  );
}

function Refused(props: IAnswerProps & { plan: Plan; refusal: NonNullable<Plan['refusal']> }): JSX.Element {
  const { trans, plan, refusal, state } = props;
  const framework = state.frameworks?.find(({ id }) => id === plan.spec.framework);
  // Only the lack of a driver is surely cured by these: other refusals may come from what else was asked for.
  const lacksDriver = plan.variant === 'gpu' && !plan.target_cuda;
  return (
    <>
      <Problem
        trans={trans}
        message={sentence(trans, refusal.reason)}
        cure={sentence(trans, refusal.cure)}
        detail={refusal.detail}
      />
      {lacksDriver ? (
        <div className="jp-GpuKernels-Form-cures">
          {framework && hasVariant(framework, 'cpu') ? (
            <Button type="button" className="jp-mod-styled" onClick={() => props.onCure({ variant: 'cpu', cuda: '' })}>
              {trans.__('Take the CPU variant')}
            </Button>
          ) : null}
          <Button type="button" className="jp-mod-styled" onClick={props.onTarget}>
            {trans.__('Build for another machine…')}
          </Button>
        </div>
      ) : null}
      <Warnings trans={trans} warnings={plan.warnings} />
    </>
  );
}

function planTitle(trans: TranslationBundle, plan: Plan, framework: string): string {
  const what = [framework, plan.framework_version].filter(part => part).join(' ');
  return plan.cuda
    ? trans.__('To be built: %1 · CUDA %2', what, plan.cuda)
    : trans.__('To be built: %1 · %2', what, variantWord(trans, plan.variant));
}

function titleOf(frameworks: readonly Framework[] | null, plan: Plan): string {
  return frameworks?.find(({ id }) => id === plan.spec.framework)?.title ?? plan.spec.framework;
}
