/** Said of an address that names no page. */

export function UnknownPage({ path }: { path: string }) {
  return (
    <div class="page">
      <h1>There is no such page</h1>
      <p>
        Nothing is shown at <code>{path}</code>.
      </p>
      <p>
        <a href="/">To the repositories</a>
      </p>
    </div>
  );
}
