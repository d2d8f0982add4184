/**
 * Focus that is not lost with the button that had it.
 */
import type React from 'react';
import { useLayoutEffect, useRef } from 'react';

/**
 * What the element needs that keeps the focus.
 */
export interface IKeptFocus {
  ref: React.RefObject<HTMLDivElement>;
  tabIndex: -1;
  onFocus: () => void;
  onBlur: (event: React.FocusEvent) => void;
}

/**
 * Take the focus where what had it within an element has gone: by keyboard one goes on from there.
 */
export function useKeptFocus(): IKeptFocus {
  const ref = useRef<HTMLDivElement>(null);
  const isWithin = useRef(false);
  useLayoutEffect(() => {
    const { activeElement, body } = document;
    if (isWithin.current && (activeElement === null || activeElement === body)) {
      ref.current?.focus({ preventScroll: true });
    }
  });
  return {
    ref,
    tabIndex: -1,
    onFocus: () => {
      isWithin.current = true;
    },
    onBlur: ({ currentTarget, relatedTarget }) => {
      // A dialog gives it back, if that is still there.
      if (relatedTarget && !currentTarget.contains(relatedTarget) && !relatedTarget.closest('.jp-Dialog')) {
        isWithin.current = false;
      }
    }
  };
}
