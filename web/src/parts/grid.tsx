/** The entries of a folder: folders first, then images with their thumbnails, then other files. */

import { useState } from "preact/hooks";
import { type Entry, problemOf } from "../api.ts";
import { encoded, imageAddress, parent, thumbnailAddress } from "../paths.ts";
import { FolderCard } from "./folder.tsx";

export function Grid({ entries, withFolder = false }: { entries: Entry[]; withFolder?: boolean }) {
  const of = (what: Entry["what"]) => entries.filter((entry) => entry.what === what);
  const [folders, images, files] = [of("folder"), of("image"), of("file")];
  return (
    <>
      {folders.length > 0 && (
        <ul class="folders" aria-label="Folders">
          {folders.map((entry) => (
            <li key={entry.path}>
              <FolderCard name={entry.name} path={entry.path} />
            </li>
          ))}
        </ul>
      )}
      {images.length > 0 && (
        <ul class="cards" aria-label="Images">
          {images.map((entry) => (
            <li key={entry.path}>
              <ImageCard name={entry.name} path={entry.path} under={withFolder ? parent(entry.path) : null} />
            </li>
          ))}
        </ul>
      )}
      {files.length > 0 && (
        <ul class="files" aria-label="Other files">
          {files.map((entry) => (
            <li key={entry.path}>
              <a href={`/data/${encoded(parent(entry.path))}/${encodeURIComponent(entry.name)}`}>{entry.name}</a>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** A thumbnail and a name; of an image that cannot be read, the reason. */
export function ImageCard({ name, path, under = null }: { name: string; path: string; under?: string | null }) {
  const [reason, setReason] = useState<string | null>(null);
  const [arrived, setArrived] = useState(false);
  return (
    <a class={`card${reason === null ? "" : " unreadable"}`} href={imageAddress(path)} title={name}>
      <span class="thumbnail">
        {reason === null ? (
          <img
            class={arrived ? "arrived" : ""}
            src={thumbnailAddress(path)}
            alt=""
            loading="lazy"
            decoding="async"
            onLoad={() => setArrived(true)}
            onError={() => reasonOf(thumbnailAddress(path)).then(setReason)}
          />
        ) : (
          <span class="reason">
            <strong>unreadable</strong>
            <span>{reason}</span>
          </span>
        )}
      </span>
      <span class="caption">
        <span class="name">{name}</span>
        {under && <span class="under">{under}</span>}
      </span>
    </a>
  );
}

/** Why a thumbnail did not come: an `img` element is not told, so the same address is asked once more. */
async function reasonOf(url: string): Promise<string> {
  try {
    const response = await fetch(url);
    return response.ok ? "The thumbnail cannot be shown." : (await problemOf(response)).message;
  } catch {
    return "The server does not answer.";
  }
}
