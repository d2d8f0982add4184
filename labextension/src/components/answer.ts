/**
 * What the server answers to a question that is asked as long as somebody looks.
 */
import { useCallback, useEffect, useRef, useState } from 'react';

/**
 * An answer, and how to get another one.
 */
export interface IAnswer<T> {
  /** The last good one; `null` before. */
  value: T | null;
  /** Why the last question has no answer. */
  failure: { reason: unknown } | null;
  isAsking: boolean;
  /** Ask, the same by default; an answer that was overtaken is dropped. */
  ask: (question?: (signal: AbortSignal) => Promise<T>) => void;
}

/**
 * Ask, and keep the answer.
 *
 * @param question - Must stay the same function as long as it asks the same; `null` to ask nothing yet.
 */
export function useAnswer<T>(question: ((signal: AbortSignal) => Promise<T>) | null): IAnswer<T> {
  const [value, setValue] = useState<T | null>(null);
  const [failure, setFailure] = useState<{ reason: unknown } | null>(null);
  const [isAsking, setAsking] = useState(question !== null);
  const asked = useRef<AbortController | null>(null);
  const ask = useCallback(
    (other?: (signal: AbortSignal) => Promise<T>) => {
      asked.current?.abort();
      const wanted = other ?? question;
      if (!wanted) {
        setAsking(false);
        return;
      }
      const { signal } = (asked.current = new AbortController());
      const whenCurrent =
        <A>(take: (answer: A) => void) =>
        (answer: A) => {
          if (!signal.aborted) {
            take(answer);
            setAsking(false);
          }
        };
      setAsking(true);
      setFailure(null);
      wanted(signal).then(
        whenCurrent(setValue),
        whenCurrent((reason: unknown) => setFailure({ reason }))
      );
    },
    [question]
  );
  useEffect(() => {
    ask();
    return () => asked.current?.abort();
  }, [ask]);
  return { value, failure, isAsking, ask };
}
