/**
 * The form itself, in the body of the dialog.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Answer } from './answer';
import type { FormController } from './controller';
import { asksForMore } from './fields';
import { Extras } from './extras';
import { FrameworkCards } from './frameworkCards';
import { TextField } from './inputs';
import { MoreChoices } from './moreChoices';
import { NameProblem } from './nameField';
import { chosenFramework, freshPlan } from './state';
import { VariantChoice } from './variantChoice';

/**
 * Properties of {@link FormBody}.
 */
export interface IFormBodyProps {
  trans: TranslationBundle;
  controller: FormController;
  /** Id of the form, for the button that submits it from the footer. */
  id: string;
}

/**
 * The form, as long as the dialog lives.
 */
export function FormBody(props: IFormBodyProps): JSX.Element {
  const { controller } = props;
  return (
    <UseSignal signal={controller.changed}>
      {() => <UseSignal signal={controller.model.changed}>{() => <Form {...props} />}</UseSignal>}
    </UseSignal>
  );
}

function Form({ trans, controller, id }: IFormBodyProps): JSX.Element {
  const { state, model } = controller;
  const { fields } = state;
  const framework = chosenFramework(state);
  const nameRef = React.useRef<HTMLInputElement>(null);
  const targetRef = React.useRef<HTMLInputElement>(null);
  const detailsRef = React.useRef<HTMLDetailsElement>(null);
  const headingRef = React.useRef<HTMLHeadingElement>(null);

  const [startsOpen] = React.useState(() => asksForMore(state.kept));

  const { attention } = state;
  React.useEffect(() => {
    switch (attention?.to) {
      case 'name':
        nameRef.current?.focus();
        break;
      case 'answer':
        headingRef.current?.focus({ preventScroll: true });
        headingRef.current?.scrollIntoView({ block: 'start' });
        break;
      case 'flaw':
        if (detailsRef.current) {
          detailsRef.current.open = true;
          detailsRef.current.querySelector<HTMLElement>('[aria-invalid="true"], [type="checkbox"][required]')?.focus();
        }
        break;
      case 'target':
        if (detailsRef.current) {
          detailsRef.current.open = true;
        }
        targetRef.current?.focus();
        break;
    }
  }, [attention]);

  return (
    <form
      id={id}
      className="jp-GpuKernels-Form"
      noValidate
      onSubmit={event => {
        event.preventDefault();
        void controller.submit();
      }}
    >
      <FrameworkCards
        trans={trans}
        frameworks={state.frameworks}
        failure={state.catalogueFailure}
        chosen={fields.framework}
        logoUrl={name => model.logoUrl(name)}
        onChoose={name => controller.edit({ framework: name })}
        onRetry={() => void controller.load()}
      />
      <div className="jp-GpuKernels-Form-grid">
        <TextField
          label={trans.__('Name')}
          value={fields.name}
          hint={trans.__('Of the kernel and of its environment.')}
          inputRef={nameRef}
          invalid={!!state.nameNote && state.nameNote.kind !== 'unknown'}
          problem={problemId =>
            state.nameNote ? <NameProblem trans={trans} note={state.nameNote} id={problemId} /> : null
          }
          onChange={name => controller.edit({ name })}
        />
        <TextField
          label={trans.__('Version')}
          value={fields.version}
          placeholder={trans.__('newest that fits')}
          hint={trans.__('For example 2.19, which means any 2.19.x.')}
          onChange={version => controller.edit({ version })}
        />
      </div>
      <VariantChoice
        trans={trans}
        fields={fields}
        framework={framework}
        hardware={model.hardware}
        plan={freshPlan(state)}
        onChoose={variant => controller.edit({ variant })}
      />
      <Extras
        trans={trans}
        framework={framework}
        chosen={fields.extras}
        onChange={extras => controller.edit({ extras })}
      />
      <MoreChoices
        trans={trans}
        fields={fields}
        framework={framework}
        hardware={model.hardware}
        startsOpen={startsOpen}
        onChange={change => controller.edit(change)}
        detailsRef={detailsRef}
        targetRef={targetRef}
      />
      <Answer
        trans={trans}
        state={state}
        headingRef={headingRef}
        onCure={change => void controller.cure(change)}
        onTarget={() => controller.wantTarget()}
      />
    </form>
  );
}
