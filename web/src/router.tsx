/** Where the page stands, and links that lead on without loading it anew. */

import type { ComponentChildren } from "preact";
import { createContext } from "preact";
import { useContext, useEffect, useMemo, useState } from "preact/hooks";

type Place = { pathname: string; query: URLSearchParams; search: string };

const Here = createContext<Place>({ pathname: "/", query: new URLSearchParams(), search: "" });

const MOVED = "diascope:moved";

export function useHere(): Place {
  return useContext(Here);
}

/** Goes to an address of this application. */
export function go(address: string, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  dispatchEvent(new Event(MOVED));
}

export function Router({ children }: { children: ComponentChildren }) {
  const [address, setAddress] = useState(location.pathname + location.search);
  useEffect(() => {
    const moved = () => setAddress(location.pathname + location.search);
    for (const event of ["popstate", MOVED]) addEventListener(event, moved);
    document.addEventListener("click", followed);
    return () => {
      for (const event of ["popstate", MOVED]) removeEventListener(event, moved);
      document.removeEventListener("click", followed);
    };
  }, []);
  const place = useMemo(() => {
    const url = new URL(address, location.origin);
    return { pathname: url.pathname, query: url.searchParams, search: url.search };
  }, [address]);
  return <Here.Provider value={place}>{children}</Here.Provider>;
}

const OURS = /^\/($|browse\/|image\/)/;

/** A plain click on a link to one of our own pages changes the page in place. */
function followed(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  if (link.origin !== location.origin || !OURS.test(link.pathname) || link.hash) return;
  event.preventDefault();
  go(link.pathname + link.search);
  scrollTo(0, 0);
}
