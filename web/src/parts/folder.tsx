/** A folder as a card: its name, and the first images that lie right in it. */

import { useEffect, useRef, useState } from "preact/hooks";
import { list } from "../api.ts";
import { browseAddress, thumbnailAddress } from "../paths.ts";

const SHOWN = 3;
const LOOKED_AT = 24;

export function FolderCard({ name, path }: { name: string; path: string }) {
  const card = useRef<HTMLAnchorElement>(null);
  const [images, setImages] = useState<string[]>([]);

  useEffect(() => {
    const abort = new AbortController();
    const observer = new IntersectionObserver((seen) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      firstImages(path, abort.signal).then(setImages, () => undefined);
    });
    if (card.current) observer.observe(card.current);
    return () => {
      observer.disconnect();
      abort.abort();
    };
  }, [path]);

  // A picture that does not come leaves its place: the image's own page tells why.
  const drop = (image: string) => setImages((before) => before.filter((each) => each !== image));
  return (
    <a class="folder" href={browseAddress(path)} ref={card} title={name}>
      <span class="strip" aria-hidden="true">
        {images.slice(0, SHOWN).map((image) => (
          <img key={image} src={thumbnailAddress(image)} alt="" loading="lazy" onError={() => drop(image)} />
        ))}
      </span>
      <span class="folder-name">
        <FolderIcon />
        <span class="name">{name}</span>
      </span>
    </a>
  );
}

async function firstImages(path: string, signal: AbortSignal): Promise<string[]> {
  const { entries } = await list(path, LOOKED_AT, null, signal);
  return entries.filter((entry) => entry.what === "image").map((entry) => entry.path);
}

function FolderIcon() {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M2.5 5.5a1.5 1.5 0 0 1 1.5-1.5h3.6l2 2.2H16a1.5 1.5 0 0 1 1.5 1.5v6.8A1.5 1.5 0 0 1 16 16H4a1.5 1.5 0 0 1-1.5-1.5z" />
    </svg>
  );
}
