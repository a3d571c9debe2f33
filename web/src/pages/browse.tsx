/** What lies in a folder of a repository, a page at a time. */

import { useState } from "preact/hooks";
import { type Entry, type Listing, list, type Problem } from "../api.ts";
import { problemFrom, useAsync } from "../async.ts";
import { plural } from "../format.ts";
import { Breadcrumb } from "../parts/breadcrumb.tsx";
import { Grid } from "../parts/grid.tsx";
import { ProblemNote, Waiting } from "../parts/problem.tsx";
import { SearchResults } from "../parts/results.tsx";
import { last, names } from "../paths.ts";
import { useHere } from "../router.tsx";

const PAGE = 100;

export function BrowsePage({ path }: { path: string }) {
  const { query } = useHere();
  const text = query.get("q");
  return text ? <SearchResults text={text} repository={names(path)[0] ?? null} /> : <Folder path={path} />;
}

function Folder({ path }: { path: string }) {
  const [first, again] = useAsync((signal) => list(path, PAGE, null, signal), [path]);
  return (
    <div class="page">
      <Breadcrumb path={path} />
      <h1>{last(path)}</h1>
      {first.state === "waiting" && <Waiting what="Looking into the folder" />}
      {first.state === "failed" && <ProblemNote problem={first.problem} again={again} />}
      {first.state === "done" && <Entries path={path} first={first.value} />}
    </div>
  );
}

function Entries({ path, first }: { path: string; first: Listing }) {
  const [entries, setEntries] = useState<Entry[]>(first.entries);
  const [next, setNext] = useState(first.next);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  const more = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const page = await list(path, PAGE, next);
      setEntries((before) => [...before, ...page.entries]);
      setNext(page.next);
    } catch (error) {
      setProblem(problemFrom(error));
    }
    setBusy(false);
  };

  return (
    <>
      <p class="summary" role="status">
        {entries.length === 0 ? "This folder is empty." : summary(entries, next !== null)}
      </p>
      <Grid entries={entries} />
      {problem && <ProblemNote problem={problem} />}
      {next !== null && (
        <p class="more">
          <button type="button" class="button" onClick={more} disabled={busy}>
            {busy ? "Loading" : "Show more"}
          </button>
        </p>
      )}
    </>
  );
}

function summary(entries: Entry[], isPart: boolean): string {
  const count = (what: Entry["what"]) => entries.filter((entry) => entry.what === what).length;
  const parts = (
    [
      [count("folder"), "folder"],
      [count("image"), "image"],
      [count("file"), "other file"],
    ] as const
  ).flatMap(([n, word]) => (n > 0 ? [plural(n, word)] : []));
  return parts.join(", ") + (isPart ? " so far" : "");
}
