/** Paths of images and the addresses of pages, files and API calls that are made of them. */

/** A path with each of its names percent-encoded, the slashes kept. */
export function encoded(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The names of a path; none for the empty path. */
export function names(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** A path without its last name. */
export function parent(path: string): string {
  return names(path).slice(0, -1).join("/");
}

export function last(path: string): string {
  return names(path).at(-1) ?? "";
}

export type Page =
  | { page: "home" }
  | { page: "browse"; path: string }
  | { page: "image"; path: string }
  | { page: "unknown"; path: string };

/** The page that an address's path names. */
export function pageOf(pathname: string): Page {
  const [first = "", ...rest] = names(pathname);
  const path = rest.map(decoded).join("/");
  if (first === "") return { page: "home" };
  if (first === "browse") return path ? { page: "browse", path } : { page: "home" };
  if (first === "image" && path) return { page: "image", path };
  return { page: "unknown", path: pathname };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

export function browseAddress(path: string): string {
  return path ? `/browse/${encoded(path)}` : "/";
}

export function imageAddress(path: string): string {
  return `/image/${encoded(path)}`;
}

export function thumbnailAddress(path: string, size = 256): string {
  return `/api/thumbnail/${encoded(path)}?size=${size}`;
}

/** The path of the file that holds an image, of its `…/stored` folder. */
export function datasetOf(stored: string): string {
  return stored.replace(/\/stored$/, "");
}

/** The folder in which the bytes lie as they are, below `/data/`. */
export function storedAddress(stored: string): string {
  return `/data/${encoded(stored)}/`;
}
