/**
 * A kernel of a file: the file, what would be built of it, and what it is to be called.
 */
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef, useState } from 'react';

import { NameField } from '../form/nameField';
import { PlanView, Warnings } from '../form/planView';
import { Problem } from '../form/problem';
import { bytes } from '../format';
import type { IGpuKernels, ImportPlan, ImportRequest, Job } from '../tokens';
import { formatWord, sentence } from '../words';
import { ImportSource, type ISource, NO_SOURCE } from './importSource';
import { SheetForm, useSubmission } from './sheetForm';
import { uploadFile } from './uploaded';

/**
 * What the form needs.
 */
export interface IImportFormProps {
  model: IGpuKernels;
  contents: Contents.IManager;
  folder: string;
  /** A file of the server to begin with; empty for none. */
  path: string;
  trans: TranslationBundle;
  onEnd: (job: Job | null) => void;
}

/**
 * The form.
 */
export function ImportForm(props: IImportFormProps): JSX.Element {
  const { model, contents, folder, path, trans, onEnd } = props;
  const [source, setSource] = useState<ISource>({ ...NO_SOURCE, path });
  const [name, setName] = useState('');
  const [answer, setAnswer] = useState<{ source: ISource; plan: ImportPlan } | null>(null);
  const [uploading, setUploading] = useState<{ file: File; sent: number } | null>(null);
  const upload = useRef<AbortController | null>(null);
  const { isBusy, failure, run } = useSubmission();
  const heading = useRef<HTMLHeadingElement>(null);
  const asked = useRef(0);
  const fresh = answer && answer.source === source ? answer.plan : null;

  const plan = async (of: ISource, turn: number): Promise<void> => {
    const body = Private.requestOf(of, '');
    const found = await model.ask<ImportPlan>(['imports', 'plan'], { method: 'POST', body });
    if (turn === asked.current) {
      setAnswer({ source: of, plan: found });
    }
  };
  const preview = (of: ISource) => {
    const turn = ++asked.current;
    run(() => plan(of, turn));
  };
  const take = (pack: File) => {
    const turn = ++asked.current;
    run(async () => {
      upload.current?.abort();
      const { signal } = (upload.current = new AbortController());
      const onSent = (sent: number) => signal.aborted || setUploading({ file: pack, sent });
      try {
        const of = { ...NO_SOURCE, path: await uploadFile(contents, folder, pack, signal, onSent) };
        setUploading(null);
        if (turn === asked.current) {
          setSource(of);
          await plan(of, turn);
        }
      } catch (reason) {
        if (!signal.aborted) {
          setUploading(null);
          throw reason;
        }
      }
    });
  };
  const build = () =>
    run(async () => {
      onEnd(await model.begin(['imports'], { method: 'POST', body: Private.requestOf(source, name) }));
    });
  useEffect(() => {
    if (path) {
      preview(source);
    }
    return () => upload.current?.abort();
  }, []);
  useEffect(() => {
    if (answer) {
      heading.current?.focus({ preventScroll: true });
      heading.current?.scrollIntoView?.({ block: 'nearest' });
    }
  }, [answer]);

  const isSaid = Boolean(source.path.trim() || source.text.trim());
  const canBuild = fresh !== null && !fresh.plan.refusal;
  return (
    <SheetForm
      trans={trans}
      submit={canBuild ? trans.__('Build') : trans.__('Preview')}
      isBusy={isBusy || !isSaid}
      failure={failure}
      status={
        uploading
          ? trans.__('Uploading %1…', uploading.file.name)
          : isBusy
            ? trans.__('Finding packages that fit together…')
            : ''
      }
      onSubmit={() => (canBuild ? build() : preview(source))}
      onCancel={() => onEnd(null)}
    >
      <ImportSource
        source={source}
        contents={contents}
        folder={folder}
        sent={uploading && trans.__('%1 of %2', bytes(uploading.sent), bytes(uploading.file.size))}
        trans={trans}
        onChange={(changed, isWhole) => {
          asked.current += 1;
          upload.current?.abort();
          setUploading(null);
          setSource(changed);
          if (isWhole) {
            preview(changed);
          }
        }}
        onPack={take}
        onFailure={reason => run(() => Promise.reject(reason))}
      />
      {fresh ? (
        <section className="jp-GpuKernels-Form-answer">
          <h3 ref={heading} tabIndex={-1}>
            {fresh.plan.refusal
              ? trans.__('This cannot be built')
              : trans.__('To be built: %1', formatWord(trans, fresh.format))}
          </h3>
          <Planned plan={fresh} trans={trans} />
          {fresh.plan.refusal ? null : (
            <NameField
              trans={trans}
              model={model}
              label={trans.__('Name')}
              hint={trans.__('Of the kernel and of its environment.')}
              placeholder={fresh.spec.name}
              value={name}
              onChange={setName}
            />
          )}
        </section>
      ) : null}
    </SheetForm>
  );
}

function Planned({ plan, trans }: { plan: ImportPlan; trans: TranslationBundle }): JSX.Element {
  const { refusal, warnings } = plan.plan;
  if (refusal) {
    return (
      <>
        <Problem
          trans={trans}
          message={sentence(trans, refusal.reason)}
          cure={sentence(trans, refusal.cure)}
          detail={refusal.detail}
        />
        <Warnings trans={trans} warnings={warnings} />
      </>
    );
  }
  return (
    <>
      <p>
        {plan.exact
          ? trans.__('The file says exactly which packages: they are built as they are.')
          : trans.__('The file says what is wanted: the packages were chosen for this machine.')}
      </p>
      <PlanView trans={trans} plan={plan.plan} />
    </>
  );
}

namespace Private {
  /**
   * What the server is asked.
   *
   * @param name - The name that is wished; empty for the file's own.
   */
  export function requestOf(source: ISource, name: string): Partial<ImportRequest> {
    const path = source.path.trim();
    return {
      ...(path ? { path } : { text: source.text }),
      file_name: source.fileName || path.slice(path.lastIndexOf('/') + 1),
      name: name.trim() || null
    };
  }
}
