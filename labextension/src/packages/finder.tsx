/**
 * A package looked for as it is typed, and its version.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, HTMLSelect, InputGroup, searchIcon } from '@jupyterlab/ui-components';
import React, { useCallback, useEffect, useId, useRef, useState } from 'react';

import { useAnswer } from '../components/answer';
import { explain } from '../explanation';
import type { FoundPackage, IGpuKernels } from '../tokens';
import { findPackages, lookUp } from './api';
import { type IWish, nameOf } from './edit';
import { type IOption, optionsOf, wishOf } from './options';

/** Milliseconds without a key before names are looked for. */
const PAUSE = 150;

/**
 * What the finder needs.
 */
export interface IFinderProps {
  model: IGpuKernels;
  /** Name of the environment. */
  environment: string;
  /** Whether it has a pip stage besides its own packages. */
  isConda: boolean;
  trans: TranslationBundle;
  onWish: (wish: IWish) => void;
}

/**
 * Where a package is looked for, and then its version chosen.
 */
export function Finder(props: IFinderProps): JSX.Element {
  const { trans, onWish } = props;
  const [chosen, setChosen] = useState<FoundPackage | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const end = () => {
    setChosen(null);
    input.current?.focus();
  };
  return (
    <div className="jp-GpuKernels-Finder">
      <Search {...props} inputRef={input} onChoose={setChosen} />
      {chosen && (
        <Versions
          key={chosen.name}
          {...props}
          found={chosen}
          onWish={wish => {
            onWish(wish);
            end();
          }}
          onCancel={end}
        />
      )}
      <p className="jp-GpuKernels-faint">{trans.__('Type a name, or with a version as in “scikit-learn >=1.5”.')}</p>
    </div>
  );
}

interface ISearchProps extends IFinderProps {
  inputRef: React.RefObject<HTMLInputElement>;
  onChoose: (found: FoundPackage | null) => void;
}

function Search(props: ISearchProps): JSX.Element {
  const { model, environment, isConda, trans, inputRef, onWish, onChoose } = props;
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(-1);
  const name = usePause(nameOf(text), PAUSE);
  const question = useCallback(
    (signal: AbortSignal) => findPackages(model, name, environment, signal),
    [model, name, environment]
  );
  const { value, failure, isAsking } = useAnswer(name ? question : null);
  const options = text.trim() ? optionsOf(trans, text, name ? (value ?? []) : [], isConda) : [];

  const choose = (option: IOption | undefined) => {
    if (!option) {
      return;
    }
    setText('');
    setActive(-1);
    if (option.found) {
      onChoose(option.found);
    } else {
      onWish({ kind: option.kind, text: text.trim() });
    }
  };
  const onKey = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && options.length) {
      event.preventDefault();
      setActive((active + step + options.length + (active < 0 && step < 0 ? 1 : 0)) % options.length);
    } else if (event.key === 'Enter' && options.length) {
      event.preventDefault();
      choose(options[Math.max(active, 0)]);
    } else if (event.key === 'Escape' && text) {
      event.preventDefault();
      event.stopPropagation();
      setText('');
    }
  };
  return (
    <>
      <label htmlFor={id}>{trans.__('Add a package')}</label>
      <InputGroup
        id={id}
        inputRef={inputRef}
        rightIcon={searchIcon}
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        aria-autocomplete="list"
        aria-expanded={options.length > 0}
        aria-controls={`${id}-found`}
        aria-activedescendant={options[active] ? `${id}-${active}` : undefined}
        value={text}
        onKeyDown={onKey}
        onChange={event => {
          setText(event.target.value);
          setActive(-1);
          onChoose(null);
        }}
      />
      <ul id={`${id}-found`} role="listbox" aria-label={trans.__('Packages found')} aria-busy={isAsking}>
        {options.map((option, index) => (
          <li
            key={option.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            // The input keeps the focus.
            onMouseDown={event => event.preventDefault()}
            onClick={() => choose(option)}
          >
            <span>{option.label}</span> <span className="jp-GpuKernels-faint">{option.note}</span>
          </li>
        ))}
      </ul>
      {failure && name && (
        <p role="alert" className="jp-GpuKernels-problem">
          {explain(trans, failure.reason).message}
        </p>
      )}
    </>
  );
}

interface IVersionsProps extends IFinderProps {
  found: FoundPackage;
  onCancel: () => void;
}

function Versions({ model, environment, isConda, found, trans, onWish, onCancel }: IVersionsProps): JSX.Element {
  const [version, setVersion] = useState('');
  const question = useCallback(
    (signal: AbortSignal) => lookUp(model, found.name, environment, signal),
    [model, found, environment]
  );
  const { value, failure, isAsking } = useAnswer(question);
  const select = useRef<HTMLDivElement>(null);
  useEffect(() => select.current?.querySelector('select')?.focus(), []);
  const { summary, versions, installed } = value ?? found;
  return (
    <div className="jp-GpuKernels-Finder-chosen" ref={select}>
      <p>
        <strong>{found.name}</strong> {summary}
      </p>
      {installed && <p className="jp-GpuKernels-faint">{trans.__('Installed: %1', installed)}</p>}
      <div className="jp-GpuKernels-actions">
        <HTMLSelect
          aria-label={trans.__('Version of %1', found.name)}
          value={version}
          onChange={event => setVersion(event.target.value)}
        >
          <option value="">{isAsking ? trans.__('Reading the versions…') : trans.__('newest that fits')}</option>
          {versions.map(item => (
            <option key={item} value={item}>
              {item}
            </option>
          ))}
        </HTMLSelect>
        <Button className="jp-GpuKernels-button jp-mod-main" onClick={() => onWish(wishOf(found, version, isConda))}>
          {trans.__('Add')}
        </Button>
        <Button className="jp-GpuKernels-button" onClick={onCancel}>
          {trans.__('Cancel')}
        </Button>
      </div>
      {failure && <p className="jp-GpuKernels-problem">{explain(trans, failure.reason).message}</p>}
    </div>
  );
}

/** What a value was when it had not changed for a moment. */
function usePause<T>(value: T, milliseconds: number): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return rested;
}
