/**
 * Signals, as React sees them.
 */
import type { ISignal } from '@lumino/signaling';
import { useEffect, useReducer, useState } from 'react';

/**
 * Render again at each emission; what is rendered is read from the sender.
 */
export function useChanges(signal: ISignal<unknown, unknown>): void {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    signal.connect(again);
    // Something may have changed between the first rendering and now.
    again();
    return () => {
      signal.disconnect(again);
    };
  }, [signal]);
}

/**
 * What is read from a sender, now and at each emission; renders again only when that has changed.
 *
 * @param read - Must stay the same function as long as it reads the same.
 * @param isSame - Whether two readings are the same.
 */
export function useReading<T>(
  signal: ISignal<unknown, unknown>,
  read: () => T,
  isSame: (one: T, other: T) => boolean = Object.is
): T {
  const [value, setValue] = useState(read);
  useEffect(() => {
    const again = () => setValue(before => Private.keep(before, read(), isSame));
    again();
    signal.connect(again);
    return () => {
      signal.disconnect(again);
    };
  }, [signal, read, isSame]);
  return value;
}

namespace Private {
  /**
   * The newer one, unless they are the same.
   */
  export function keep<T>(before: T, now: T, isSame: (one: T, other: T) => boolean): T {
    return isSame(before, now) ? before : now;
  }
}
