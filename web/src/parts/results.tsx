/** Folders and images whose name has the text that is searched for. */

import { type Found, search } from "../api.ts";
import { useAsync } from "../async.ts";
import { plural } from "../format.ts";
import { Grid } from "./grid.tsx";
import { ProblemNote, Waiting } from "./problem.tsx";

const PAUSE = 2000;

/** While folders are still being looked into, more is found every so often. */
function isGrowing(found: Found): boolean {
  return found.indexed !== null && found.indexed < 1;
}

export function SearchResults({ text, repository }: { text: string; repository: string | null }) {
  const [found, again] = useAsync(
    (signal) => search(text, repository, signal),
    [text, repository],
    (found) => (isGrowing(found) ? PAUSE : null),
  );
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
            {found.value.results.length > 0
              ? plural(found.value.results.length, "result")
              : isGrowing(found.value)
                ? "Nothing has this in its name so far."
                : "Nothing has this in its name."}
            {!found.value.complete &&
              !isGrowing(found.value) &&
              " so far: the search stopped before it had seen everything. A longer text finds more."}
          </p>
          {isGrowing(found.value) && <Looking share={found.value.indexed ?? 0} />}
          <Grid entries={found.value.results} withFolder />
        </>
      )}
    </div>
  );
}

function Looking({ share }: { share: number }) {
  return (
    <label class="looking">
      <progress value={share} max={1} />
      Folders are still being looked into; results are added as they are found.
    </label>
  );
}
