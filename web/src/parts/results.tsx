/** Folders and images whose name has the text that is searched for. */

import { search } from "../api.ts";
import { useAsync } from "../async.ts";
import { plural } from "../format.ts";
import { Grid } from "./grid.tsx";
import { ProblemNote, Waiting } from "./problem.tsx";

export function SearchResults({ text, repository }: { text: string; repository: string | null }) {
  const [found, again] = useAsync((signal) => search(text, repository, signal), [text, repository]);
  return (
    <div class="page">
      <h1>
        “{text}” <span class="where">in {repository ?? "all repositories"}</span>
      </h1>
      {found.state === "waiting" && <Waiting what="Searching" />}
      {found.state === "failed" && <ProblemNote problem={found.problem} again={again} />}
      {found.state === "done" && (
        <>
          <p class="summary" role="status">
            {found.value.results.length === 0
              ? "Nothing has this in its name."
              : plural(found.value.results.length, "result")}
            {!found.value.complete &&
              " so far: the search stopped before it had seen everything. A longer text finds more."}
          </p>
          <Grid entries={found.value.results} withFolder />
        </>
      )}
    </div>
  );
}
