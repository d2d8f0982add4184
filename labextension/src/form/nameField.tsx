/**
 * The name of a kernel, and whether it can be had.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { explain } from '../explanation';
import type { IGpuKernels } from '../tokens';
import { TextField } from './inputs';
import { Problem } from './problem';
import type { NameNote } from './state';

/** Milliseconds without a key before a name is checked. */
const PAUSE = 300;

/**
 * Properties of {@link NameField}.
 */
export interface INameFieldProps {
  trans: TranslationBundle;
  model: IGpuKernels;
  label: string;
  hint?: string;
  placeholder?: string;
  value: string;
  /** The name that needs no check, as it is that of the environment itself. */
  own?: string;
  /** Why it was refused at the end. */
  refusal?: { reason: unknown } | null;
  onChange: (name: string) => void;
}

/**
 * A name, checked while it is typed.
 */
export function NameField(props: INameFieldProps): JSX.Element {
  const { trans, model, value, own, refusal } = props;
  const found = useNameCheck(model, value.trim() === own ? '' : value.trim());
  const note: NameNote | null = refusal ? { kind: 'refused', reason: refusal.reason } : found;
  return (
    <TextField
      label={props.label}
      hint={props.hint}
      placeholder={props.placeholder}
      value={value}
      invalid={!!note && note.kind !== 'unknown'}
      problem={id => (note ? <NameProblem trans={trans} note={note} id={id} /> : null)}
      onChange={props.onChange}
    />
  );
}

/**
 * What is wrong with a name, in place.
 */
export function NameProblem(props: { trans: TranslationBundle; note: NameNote; id: string }): JSX.Element {
  const { trans, note, id } = props;
  if (note.kind === 'missing') {
    return <Problem trans={trans} id={id} message={trans.__('A kernel needs a name.')} cure="" />;
  }
  const { message, cure, detail } = explain(trans, note.reason);
  return <Problem trans={trans} id={id} message={message} cure={cure} detail={detail} />;
}

/** What the server says of a name; nothing of an empty one. */
function useNameCheck(model: IGpuKernels, name: string): NameNote | null {
  const [note, setNote] = React.useState<NameNote | null>(null);
  React.useEffect(() => {
    setNote(null);
    if (!name) {
      return undefined;
    }
    const checking = new AbortController();
    const tell = (found: NameNote | null): void => {
      if (!checking.signal.aborted) {
        setNote(found);
      }
    };
    const timer = setTimeout(() => {
      model.checkName(name, checking.signal).then(
        ({ problem }) => tell(problem && { kind: 'refused', reason: problem }),
        (reason: unknown) => tell({ kind: 'unknown', reason })
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      checking.abort();
    };
  }, [model, name]);
  return note;
}
