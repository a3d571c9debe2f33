/** The bar above every page: the name, and the search for images by name. */

import { useEffect, useRef, useState } from "preact/hooks";
import mark from "../mark.svg?raw";
import { browseAddress, names, type Page } from "../paths.ts";
import { go, useHere } from "../router.tsx";

export function Header({ page }: { page: Page }) {
  return (
    <header class="bar">
      <a class="brand" href="/">
        <span class="mark" aria-hidden="true" dangerouslySetInnerHTML={{ __html: mark }} />
        Diascope
      </a>
      <SearchBox repository={page.page === "browse" || page.page === "image" ? (names(page.path)[0] ?? null) : null} />
    </header>
  );
}

const PAUSE = 250;

/** What is typed stands in the address as `?q=`, so that it can be shared and gone back to. */
function SearchBox({ repository }: { repository: string | null }) {
  const { query, pathname } = useHere();
  const asked = query.get("q") ?? "";
  const [text, setText] = useState(asked);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef(0);

  useEffect(() => {
    if (document.activeElement !== input.current) setText(asked);
  }, [asked]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const search = (wanted: string) => {
    clearTimeout(timer.current);
    const target = browseAddress(repository ?? "");
    const isThere = query.has("q") && pathname === target;
    if (wanted.trim()) go(`${target}?${new URLSearchParams({ q: wanted.trim() })}`, isThere ? "replace" : "push");
    else if (query.has("q")) go(target, "replace");
  };

  return (
    <search>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          search(text);
        }}
      >
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <circle cx="8.5" cy="8.5" r="5.5" />
          <path d="M13 13l4 4" />
        </svg>
        <input
          ref={input}
          type="search"
          name="q"
          value={text}
          aria-label={repository ? `Search ${repository} by name` : "Search all repositories by name"}
          placeholder={repository ? `Search ${repository}` : "Search by name"}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => {
            const wanted = event.currentTarget.value;
            setText(wanted);
            clearTimeout(timer.current);
            timer.current = setTimeout(() => search(wanted), PAUSE);
          }}
        />
      </form>
    </search>
  );
}
