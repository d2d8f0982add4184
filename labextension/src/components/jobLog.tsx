/**
 * The end of a job's log, on demand.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useLayoutEffect, useRef, useState } from 'react';

/**
 * What a log needs.
 */
export interface IJobLogProps {
  lines: readonly string[];
  /** Address of the whole of it. */
  url: string;
  trans: TranslationBundle;
}

/**
 * A disclosure with the last lines; it follows them unless the reader has scrolled up.
 */
export function JobLog({ lines, url, trans }: IJobLogProps): JSX.Element {
  const [open, setOpen] = useState(false);
  return (
    <details className="jp-GpuKernels-log" onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>{trans.__('Log')}</summary>
      {open && (
        <>
          <Lines lines={lines} trans={trans} />
          <a href={url} target="_blank" rel="noreferrer">
            {trans.__('Whole log')}
          </a>
        </>
      )}
    </details>
  );
}

function Lines({ lines, trans }: Pick<IJobLogProps, 'lines' | 'trans'>): JSX.Element {
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
