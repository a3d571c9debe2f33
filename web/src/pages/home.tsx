/** All repositories, each with what lies first in it. */

import { list, repositories } from "../api.ts";
import { useAsync } from "../async.ts";
import { plural } from "../format.ts";
import { Grid } from "../parts/grid.tsx";
import { ProblemNote, Waiting } from "../parts/problem.tsx";
import { SearchResults } from "../parts/results.tsx";
import { browseAddress } from "../paths.ts";
import { useHere } from "../router.tsx";

/** With more repositories than this only their names are shown. */
const MOST_OPEN = 8;
const FIRST = 24;

export function HomePage() {
  const { query } = useHere();
  const [found, again] = useAsync(repositories, []);
  const text = query.get("q");
  if (text) return <SearchResults text={text} repository={null} />;
  return (
    <div class="page">
      <h1 class="unseen">Repositories</h1>
      {found.state === "waiting" && <Waiting what="Looking for repositories" />}
      {found.state === "failed" && <ProblemNote problem={found.problem} again={again} />}
      {found.state === "done" && <Repositories names={found.value.repositories.map(({ name }) => name)} />}
    </div>
  );
}

function Repositories({ names }: { names: string[] }) {
  if (names.length === 0) {
    return (
      <div class="empty">
        <p>No repository is served yet.</p>
        <p>
          Name a folder of images when you start the server: <code>diascope serve /path/to/images</code>
        </p>
      </div>
    );
  }
  if (names.length <= MOST_OPEN) return names.map((name) => <Repository key={name} name={name} />);
  return (
    <>
      <p class="summary">{plural(names.length, "repository", "repositories")}</p>
      <Grid entries={names.map((name) => ({ name, path: name, what: "folder" }))} />
    </>
  );
}

function Repository({ name }: { name: string }) {
  const [listing, again] = useAsync((signal) => list(name, FIRST, null, signal), [name]);
  return (
    <section class="repository" aria-labelledby={`repository-${name}`}>
      <div class="repository-head">
        <h2 id={`repository-${name}`}>
          <a href={browseAddress(name)}>{name}</a>
        </h2>
        <a class="all" href={browseAddress(name)} aria-label={`Browse all of ${name}`}>
          Browse all
        </a>
      </div>
      {listing.state === "waiting" && <Waiting what={`Looking into ${name}`} />}
      {listing.state === "failed" && <ProblemNote problem={listing.problem} again={again} />}
      {listing.state === "done" && <Grid entries={listing.value.entries} />}
      {listing.state === "done" && listing.value.entries.length === 0 && <p class="empty">This repository is empty.</p>}
    </section>
  );
}
