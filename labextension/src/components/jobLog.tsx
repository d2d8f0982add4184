/**
 * The end of a job's log, on demand.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useLayoutEffect, useRef, useState } from 'react';

import { isFinal } from '../jobStream';
import type { IGpuKernels, Job } from '../tokens';

/**
 * What a log needs.
 */
export interface IJobLogProps {
  job: Job;
  model: IGpuKernels;
  trans: TranslationBundle;
}

/**
 * A disclosure with what is at work and the last lines, which it follows unless the reader has scrolled up.
 *
 * Only what is seen is asked for: a closed log costs the server nothing.
 */
export function JobLog({ job, model, trans }: IJobLogProps): JSX.Element {
  const [open, setOpen] = useState(false);

  useEffect(() => {
    if (!open) {
      return undefined;
    }
    const watching = model.watch(job.id);
    return () => watching.dispose();
  }, [model, job.id, open]);

  return (
    <details className="jp-GpuKernels-log" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{trans.__('Log')}</summary>
      {open && (
        <>
          {!isFinal(job) && (
            <p className="jp-GpuKernels-atWork" title={job.progress.detail}>
              {job.progress.detail}
            </p>
          )}
          <Lines lines={job.log} trans={trans} />
          <a href={model.logUrl(job.id)} target="_blank" rel="noreferrer">
            {trans.__('Whole log')}
          </a>
        </>
      )}
    </details>
  );
}

function Lines({ lines, trans }: { lines: readonly string[]; trans: TranslationBundle }): JSX.Element {
  const node = useRef<HTMLPreElement>(null);
  const follows = useRef(true);
  const text = lines.join('\n');

  useLayoutEffect(() => {
    if (node.current && follows.current) {
      node.current.scrollTop = node.current.scrollHeight;
    }
  }, [text]);

  const onScroll = (event: React.UIEvent<HTMLPreElement>) => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
    // Zoom makes fractions of pixels.
    follows.current = scrollHeight - clientHeight - scrollTop < 4;
  };

  return (
    // It scrolls, so the keyboard must reach it.
    <pre ref={node} onScroll={onScroll} tabIndex={0} role="log" aria-live="off" aria-label={trans.__('Log')}>
      {text || trans.__('Nothing yet.')}
    </pre>
  );
}
