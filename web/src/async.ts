/** The state of work that ends later: waiting, done or failed. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { Problem } from "./api.ts";

export type Async<T> = { state: "waiting" } | { state: "done"; value: T } | { state: "failed"; problem: Problem };

/** The state of the latest work, begun again when an input changes; and a way to begin it again at will. */
export function useAsync<T>(
  work: (signal: AbortSignal) => Promise<T>,
  inputs: readonly unknown[],
): [Async<T>, () => void] {
  const [result, setResult] = useState<Async<T>>({ state: "waiting" });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setResult({ state: "waiting" });
    work(abort.signal).then(
      (value) => abort.signal.aborted || setResult({ state: "done", value }),
      (error: unknown) => abort.signal.aborted || setResult({ state: "failed", problem: problemFrom(error) }),
    );
    return () => abort.abort();
  }, [...inputs, turn]);
  return [result, useCallback(() => setTurn((n) => n + 1), [])];
}

export function problemFrom(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("Something went wrong in this page", String(error), 0);
}
