/**
 * The choice what a kernel is written to, and what becomes of that.
 */
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useId, useRef, useState } from 'react';

import { TextField } from '../form/inputs';
import { Warnings } from '../form/planView';
import type { Environment, ExportedFile, FileFormat, IGpuKernels, Job } from '../tokens';
import { formatWord } from '../words';
import { copy, download, save } from './exported';
import { formatSentence, formatsOf } from './formats';
import { SheetForm, useSubmission } from './sheetForm';

/**
 * What the form needs.
 */
export interface IShareFormProps {
  environment: Environment;
  model: IGpuKernels;
  contents: Contents.IManager;
  /** Where files are saved: below the root of the contents. */
  folder: string;
  trans: TranslationBundle;
  onEnd: (job: Job | null) => void;
}

/**
 * The form.
 */
export function ShareForm(props: IShareFormProps): JSX.Element {
  const { environment, model, contents, folder, trans, onEnd } = props;
  const group = useId();
  const formats = formatsOf(environment);
  const [format, setFormat] = useState<FileFormat>(formats[0]);
  const [platforms, setPlatforms] = useState('');
  const [done, setDone] = useState<{ said: string; file: ExportedFile } | null>(null);
  const { isBusy, failure, run } = useSubmission();
  const known = useRef(new Map<string, ExportedFile>());

  const exported = async (): Promise<ExportedFile> => {
    const wanted = format === 'pixi.lock' ? platforms.split(/[\s,]+/).filter(Boolean) : [];
    const query = { format, ...(wanted.length && { platforms: wanted.join(',') }) };
    const key = JSON.stringify(query);
    const file =
      known.current.get(key) ??
      (await model.ask<ExportedFile>(['environments', environment.name, 'export'], { query }));
    known.current.set(key, file);
    return file;
  };
  const use = (what: (file: ExportedFile) => Promise<string> | string) => () =>
    run(async () => {
      setDone(null);
      const file = await exported();
      setDone({ said: await what(file), file });
    });
  const pack = () =>
    run(async () => {
      const body = { path: contents.localPath(folder) };
      onEnd(await model.begin(['environments', environment.name, 'pack'], { method: 'POST', body }));
    });
  const saveHere = use(async file => trans.__('Saved: %1', await save(contents, folder, file)));

  const button = (label: string, action: () => void) => (
    <button
      type="button"
      className="jp-Dialog-button jp-mod-styled"
      aria-disabled={isBusy || undefined}
      onClick={() => isBusy || action()}
    >
      {label}
    </button>
  );
  return (
    <SheetForm
      trans={trans}
      submit={format === 'pack' ? trans.__('Pack') : trans.__('Save')}
      cancel={trans.__('Close')}
      isBusy={isBusy}
      failure={failure}
      status={isBusy ? trans.__('Writing it down…') : (done?.said ?? '')}
      onSubmit={format === 'pack' ? pack : saveHere}
      onCancel={() => onEnd(null)}
    >
      <fieldset className="jp-GpuKernels-Formats">
        <legend>{trans.__('As')}</legend>
        {formats.map(item => (
          <div key={item}>
            <label className="jp-GpuKernels-Form-check">
              <input
                type="radio"
                name={group}
                value={item}
                checked={format === item}
                aria-describedby={`${group}-${item}`}
                onChange={() => {
                  setFormat(item);
                  setDone(null);
                }}
              />
              {formatWord(trans, item)}
            </label>
            <p id={`${group}-${item}`} className="jp-GpuKernels-Form-hint">
              {formatSentence(trans, item)}
            </p>
          </div>
        ))}
      </fieldset>
      {format === 'pixi.lock' ? (
        <TextField
          label={trans.__('Platforms')}
          value={platforms}
          placeholder={trans.__('this machine’s')}
          hint={trans.__('For example linux-64, osx-arm64, win-64: what is not installed here is solved for.')}
          onChange={setPlatforms}
        />
      ) : null}
      <p className="jp-GpuKernels-Form-hint">
        {trans.__('Saved in the current folder: %1', contents.localPath(folder) || '/')}
      </p>
      {format === 'pack' ? null : (
        <div className="jp-GpuKernels-Form-cures">
          {button(
            trans.__('Download'),
            use(file => {
              download(file);
              return trans.__('Downloaded: %1', file.file_name);
            })
          )}
          {button(
            trans.__('Copy'),
            use(file => {
              copy(file);
              return trans.__('Copied');
            })
          )}
        </div>
      )}
      {done ? (
        <>
          <Warnings trans={trans} warnings={done.file.warnings} />
          <details>
            <summary>{done.file.file_name}</summary>
            <pre className="jp-GpuKernels-Sheet-text" tabIndex={0}>
              {done.file.text}
            </pre>
          </details>
        </>
      ) : null}
    </SheetForm>
  );
}
