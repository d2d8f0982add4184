/**
 * Labelled fields in JupyterLab's look, each with its hint tied to it.
 */
import { HTMLSelect, InputGroup } from '@jupyterlab/ui-components';
import * as React from 'react';

import '../../style/form.css';

/**
 * What all fields have.
 */
export interface IFieldProps {
  label: string;
  /** Sentence below the field. */
  hint?: string;
}

/**
 * Properties of {@link TextField} and {@link LinesField}.
 */
export interface ITextFieldProps extends IFieldProps {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  /** What is wrong with the value, below the field; given an id to be described by. */
  problem?: (id: string) => React.ReactNode;
  /** Whether the problem is one of the value. */
  invalid?: boolean;
  inputRef?: React.RefObject<HTMLInputElement>;
  /** What a number may be, where one is asked for; its value is a text, too: it may be half-typed. */
  number?: { min: number; max?: number; step: number | 'any' };
  /** What most people type. */
  suggestions?: readonly ISuggestion[];
}

/**
 * Something that may be typed, and what it means.
 */
export interface ISuggestion {
  value: string;
  label: string;
}

/**
 * A line of text; versions and names, which no dictionary knows.
 */
export function TextField(props: ITextFieldProps): JSX.Element {
  const id = React.useId();
  const problem = props.problem?.(`${id}-problem`);
  return (
    <div className="jp-GpuKernels-Form-field">
      <label htmlFor={id}>{props.label}</label>
      <InputGroup
        id={id}
        inputRef={props.inputRef}
        type={props.number ? 'number' : 'text'}
        required={!!props.number}
        {...props.number}
        list={props.suggestions && `${id}-suggestions`}
        value={props.value}
        placeholder={props.placeholder}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={props.invalid || undefined}
        aria-describedby={described(id, props.hint, problem)}
        onChange={event => props.onChange(event.target.value)}
      />
      {props.suggestions && (
        <datalist id={`${id}-suggestions`}>
          {props.suggestions.map(({ value, label }) => (
            <option key={value} value={value} label={label} />
          ))}
        </datalist>
      )}
      <Hint id={id} text={props.hint} />
      <div aria-live="polite">{problem}</div>
    </div>
  );
}

/**
 * Several lines of text, one thing each.
 */
export function LinesField(props: ITextFieldProps): JSX.Element {
  const id = React.useId();
  return (
    <div className="jp-GpuKernels-Form-field">
      <label htmlFor={id}>{props.label}</label>
      <textarea
        id={id}
        rows={2}
        value={props.value}
        placeholder={props.placeholder}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={described(id, props.hint)}
        onChange={event => props.onChange(event.target.value)}
      />
      <Hint id={id} text={props.hint} />
    </div>
  );
}

/**
 * Properties of {@link SelectField}.
 */
export interface ISelectFieldProps<T extends string> extends IFieldProps {
  value: T;
  options: readonly { value: T; label: string }[];
  onChange: (value: T) => void;
}

/**
 * One of a few.
 */
export function SelectField<T extends string>(props: ISelectFieldProps<T>): JSX.Element {
  const id = React.useId();
  return (
    <div className="jp-GpuKernels-Form-field">
      <label htmlFor={id}>{props.label}</label>
      <HTMLSelect
        id={id}
        value={props.value}
        options={[...props.options]}
        aria-describedby={described(id, props.hint)}
        onChange={event => {
          const chosen = props.options.find(({ value }) => value === event.target.value);
          if (chosen) {
            props.onChange(chosen.value);
          }
        }}
      />
      <Hint id={id} text={props.hint} />
    </div>
  );
}

/**
 * Properties of {@link CheckField}.
 */
export interface ICheckFieldProps extends IFieldProps {
  value: boolean;
  onChange: (value: boolean) => void;
}

/**
 * Yes or no.
 */
export function CheckField(props: ICheckFieldProps): JSX.Element {
  const id = React.useId();
  return (
    <div className="jp-GpuKernels-Form-field">
      <label className="jp-GpuKernels-Form-check">
        <input
          type="checkbox"
          checked={props.value}
          aria-describedby={described(id, props.hint)}
          onChange={event => props.onChange(event.target.checked)}
        />
        {props.label}
      </label>
      <Hint id={id} text={props.hint} />
    </div>
  );
}

function Hint({ id, text }: { id: string; text?: string }): JSX.Element | null {
  return text ? (
    <p id={`${id}-hint`} className="jp-GpuKernels-Form-hint">
      {text}
    </p>
  ) : null;
}

function described(id: string, hint?: string, problem?: React.ReactNode): string | undefined {
  const ids = [hint && `${id}-hint`, problem && `${id}-problem`].filter(item => item);
  return ids.length ? ids.join(' ') : undefined;
}
