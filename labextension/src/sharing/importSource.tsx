/**
 * Where the text of an import comes from: a file of this computer, one of the server, or what was pasted.
 */
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useState } from 'react';

import { LinesField, TextField } from '../form/inputs';
import { isImportable, isPack } from './importable';

/**
 * What an import is made of.
 */
export interface ISource {
  text: string;
  /** Of the server; empty for a text. */
  path: string;
  /** Of this computer; empty for what was pasted. */
  fileName: string;
}

/** Nothing yet. */
export const NO_SOURCE: ISource = { text: '', path: '', fileName: '' };

/** Characters of a pasted text; more comes as a file. */
const MAX_PASTED = 2_000_000;

/**
 * What the fields need.
 */
export interface IImportSourceProps {
  source: ISource;
  contents: Contents.IManager;
  /** The folder whose files are suggested. */
  folder: string;
  /** How much of a file is uploaded; `null` while none is. */
  sent: string | null;
  trans: TranslationBundle;
  /** @param isWhole - Whether nothing more is to be expected, as of a file that was chosen. */
  onChange: (source: ISource, isWhole: boolean) => void;
  /** @param file - A pack of this computer, which is too large to be sent as a text. */
  onPack: (file: File) => void;
  onFailure: (reason: unknown) => void;
}

/**
 * Three ways to say it; the last that was used counts.
 */
export function ImportSource(props: IImportSourceProps): JSX.Element {
  const { source, contents, folder, sent, trans, onChange, onPack, onFailure } = props;
  const id = useId();
  const [isOver, setOver] = useState(false);
  const suggestions = useSuggestions(contents, folder);
  const read = async (file: File | undefined): Promise<void> => {
    if (!file) {
      return;
    }
    if (isPack(file.name)) {
      onPack(file);
      return;
    }
    onChange({ text: await file.text(), path: '', fileName: file.name }, true);
  };
  const take = (file: File | undefined): void => void read(file).catch(onFailure);
  return (
    <>
      <div
        className="jp-GpuKernels-Drop"
        data-over={isOver || undefined}
        onDragOver={event => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={event => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer.files[0]);
        }}
      >
        <label htmlFor={id}>{trans.__('A file of this computer')}</label>
        <input id={id} type="file" onChange={event => take(event.target.files?.[0])} />
        <p className="jp-GpuKernels-Form-hint">
          {sent ?? (source.fileName ? trans.__('Read: %1', source.fileName) : trans.__('Choose it, or drop it here.'))}
        </p>
      </div>
      <TextField
        label={trans.__('Or a file of the server')}
        value={source.path}
        hint={trans.__('Its path in the file browser: an environment.yml, a lock, requirements, a pack.')}
        suggestions={suggestions}
        onChange={path => onChange({ ...NO_SOURCE, path }, false)}
      />
      <LinesField
        label={trans.__('Or its text')}
        value={source.path || source.fileName ? '' : source.text}
        placeholder={trans.__('Paste it here')}
        onChange={text => onChange({ ...NO_SOURCE, text: text.slice(0, MAX_PASTED) }, false)}
      />
    </>
  );
}

/** The files of a folder that a kernel can be made of; none where it cannot be read. */
function useSuggestions(contents: Contents.IManager, folder: string): { value: string; label: string }[] {
  const [found, setFound] = useState<{ value: string; label: string }[]>([]);
  useEffect(() => {
    let isCurrent = true;
    contents.get(folder, { content: true }).then(
      ({ content }) => {
        const files = (content as Contents.IModel[]).filter(
          ({ name, type }) => type !== 'directory' && isImportable(name)
        );
        if (isCurrent) {
          setFound(files.map(({ name, path }) => ({ value: contents.localPath(path), label: name })));
        }
      },
      () => undefined
    );
    return () => {
      isCurrent = false;
    };
  }, [contents, folder]);
  return found;
}
