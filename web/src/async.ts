/** The state of work that ends later: waiting, done or failed. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { Problem } from "./api.ts";

export type Async<T> = { state: "waiting" } | { state: "done"; value: T } | { state: "failed"; problem: Problem };

/**
 * The state of the latest work, begun again when an input changes; and a way to begin it again at will.
 *
 * Work that is never finished says after how many milliseconds it is to be done again; what it gave stays until then.
 */
export function useAsync<T>(
  work: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
  pause?: (value: T) => number | null,
): [Async<T>, () => void] {
  const [result, setResult] = useState<Async<T>>({ state: "waiting" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    let timer = 0;
    setResult({ state: "waiting" });
    const begin = () =>
      work(abort.signal).then(
        (value) => {
          if (abort.signal.aborted) return;
          setResult({ state: "done", value });
          const wait = pause?.(value) ?? null;
          if (wait !== null) timer = setTimeout(begin, wait);
        },
        (error: unknown) => abort.signal.aborted || setResult({ state: "failed", problem: problemFrom(error) }),
      );
    begin();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [...inputs, turn]);
  return [result, useCallback(() => setTurn((n) => n + 1), [])];
}

export function problemFrom(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("Something went wrong in this page", String(error), 0);
}
