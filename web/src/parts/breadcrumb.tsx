/** The way from the repositories to where the page stands. */

import { browseAddress, imageAddress, names } from "../paths.ts";

/** The names of `path`, those within `file` as folders, the rest as images of it. */
export function Breadcrumb({ path, file }: { path: string; file?: string }) {
  const parts = names(path);
  const folders = file === undefined ? parts.length : names(file).length - 1;
  return (
    <nav class="breadcrumb" aria-label="Breadcrumb">
      <ol>
        <li>
          <a href="/">Repositories</a>
        </li>
        {parts.map((name, k) => {
          const here = parts.slice(0, k + 1).join("/");
          const address = k < folders ? browseAddress(here) : imageAddress(here);
          return (
            <li key={here}>
              {k === parts.length - 1 ? <span aria-current="page">{name}</span> : <a href={address}>{name}</a>}
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
