/**
 * A part of a view, under a heading.
 */
import React, { useId } from 'react';

/**
 * A region that is named by its heading.
 */
export function Section({ title, children }: React.PropsWithChildren<{ title: string }>): JSX.Element {
  const id = useId();
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}
