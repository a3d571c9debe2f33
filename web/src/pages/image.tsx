/** An image: seen, described, and with all the ways to open it elsewhere. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { type Description, image, isImage, type Representation, representations } from "../api.ts";
import { useAsync } from "../async.ts";
import { metres, number, quantity } from "../format.ts";
import { isVolume, volumeOf } from "../neuroglancer/state.ts";
import { Breadcrumb } from "../parts/breadcrumb.tsx";
import { Facts } from "../parts/facts.tsx";
import { Icon } from "../parts/icon.tsx";
import { Operations } from "../parts/operations.tsx";
import { Picture } from "../parts/picture.tsx";
import { ProblemNote, Waiting } from "../parts/problem.tsx";
import { RepresentationList } from "../parts/representations.tsx";
import { Scenes } from "../parts/scenes.tsx";
import { Sliders } from "../parts/sliders.tsx";
import { Volume } from "../parts/volume.tsx";
import { datasetOf, last } from "../paths.ts";
import { go, useHere } from "../router.tsx";
import { inView, ORIGINAL, type Position, renderView } from "../view.ts";

export function ImagePage({ path }: { path: string }) {
  const [found, again] = useAsync((signal) => image(path, signal), [path]);
  const described = found.state === "done" ? found.value : null;
  return (
    <div class="page image-page">
      <Breadcrumb path={path} file={described ? datasetOf(described.stored) : path} />
      <div class="title">
        <h1>{last(path)}</h1>
        {described && (isImage(described) ? <Summary image={described} /> : <p class="chips">{described.format}</p>)}
      </div>
      {found.state === "waiting" && <Waiting what="Opening the image" />}
      {found.state === "failed" && <ProblemNote problem={found.problem} again={again} />}
      {described && isImage(described) && <OneImage image={described} />}
      {described && <Scenes scenes={described.scenes} current={isImage(described) ? described.path : null} />}
    </div>
  );
}

function Summary({ image: { axes, dtype, format, kind } }: { image: Description }) {
  const plane = axes.filter(({ type }) => type === "space").reverse();
  const channels = axes.find(({ name }) => name === "c")?.size ?? 1;
  const times = axes.find(({ name }) => name === "t")?.size ?? 1;
  const facts = [
    plane.map(({ size }) => number(size)).join(" × "),
    ...(plane[0]?.unit && plane[0].spacing !== null ? [`${quantity(plane[0].spacing, plane[0].unit)} per pixel`] : []),
    ...(kind === "rgb" ? ["colour"] : channels > 1 ? [`${number(channels)} channels`] : []),
    ...(times > 1 ? [`${number(times)} time points`] : []),
    dtype,
    ...(format ? [format] : []),
  ];
  return (
    <ul class="chips" aria-label="In short">
      {facts.map((fact) => (
        <li key={fact}>{fact}</li>
      ))}
    </ul>
  );
}

function OneImage({ image }: { image: Description }) {
  const { query, pathname } = useHere();
  const view = query.get("view") ?? ORIGINAL;
  const address = (next: string) =>
    next === ORIGINAL ? pathname : `${pathname}?${new URLSearchParams({ view: next })}`;
  const [served, again] = useAsync(
    async (signal) => ({ asked: view, ...(await representations(image.path, view, signal)) }),
    [image.path, view],
  );
  // Until the next answer comes, there is the last one, which is of another view.
  const canonical = served.state === "done" && served.value.asked === view ? served.value.view : view;
  useEffect(() => {
    if (canonical !== view) go(address(canonical), "replace");
  }, [canonical, view]);
  return (
    <>
      {served.state === "waiting" && (
        <div class="viewer">
          <div class="picture" />
        </div>
      )}
      {served.state === "failed" && <ProblemNote problem={served.problem} again={again} />}
      {served.state === "done" && <Viewer image={image} view={view} served={served.value.representations} />}
      <Operations view={canonical} onChange={(next) => go(address(next))} />
      <div class="columns">
        <Facts image={image} />
        {served.state === "done" && <RepresentationList all={served.value.representations} />}
      </div>
    </>
  );
}

type Seen = { image: Description; view: string; served: Representation[] };

function Viewer({ image, view, served }: Seen) {
  const { query, pathname } = useHere();
  const picture = served.find((one) => one.layout === "dzi");
  const volume = view === ORIGINAL && isVolume(image.axes) ? volumeOf(served) : null;
  const shown = volume && query.get("show") === "volume" ? "volume" : "picture";
  const show = (name: "picture" | "volume") => go(name === "volume" ? `${pathname}?show=volume` : pathname, "replace");
  const [ownWindow, setOwnWindow] = useState<string | null>(null);
  return (
    <section class="viewer" aria-label="Viewer">
      {volume && (
        <div class="viewer-head">
          <div class="tabs" role="tablist" aria-label="Viewer">
            {(["picture", "volume"] as const).map((name) => (
              <button
                type="button"
                key={name}
                role="tab"
                id={`tab-${name}`}
                aria-selected={shown === name}
                aria-controls="viewer-panel"
                tabIndex={shown === name ? 0 : -1}
                onClick={() => show(name)}
                onKeyDown={(event) => {
                  if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
                  const other = name === "picture" ? "volume" : "picture";
                  show(other);
                  document.getElementById(`tab-${other}`)?.focus();
                }}
              >
                {name === "picture" ? "Plane" : "Volume"}
              </button>
            ))}
          </div>
          {ownWindow && (
            <a href={ownWindow} target="_blank" rel="noopener">
              <Icon name="open" /> Neuroglancer in its own window
            </a>
          )}
        </div>
      )}
      <div id="viewer-panel" {...(volume ? { role: "tabpanel", "aria-labelledby": `tab-${shown}` } : {})}>
        {shown === "volume" && volume ? (
          <Volume image={image} volume={volume} onAddress={setOwnWindow} />
        ) : (
          <Plane image={image} view={view} picture={picture} />
        )}
      </div>
    </section>
  );
}

/** The plane of the image at the sliders' position. */
function Plane({ image, view, picture }: { image: Description; view: string; picture: Representation | undefined }) {
  const [position, setPosition] = useState<Position>({});
  const settled = useSettled(position, 60);
  const x = image.axes.find(({ name }) => name === "x");
  const spacing = useMemo(() => {
    const unit = metres(x?.unit ?? null);
    // An operation may change the distance of pixels, which is known of the stored ones alone.
    return view === ORIGINAL && unit !== null && x?.spacing ? x.spacing * unit : null;
  }, [x, view]);
  if (!picture || picture.refused !== null) {
    return (
      <div class="picture">
        <p class="stage-note">{picture?.refused ?? "This server makes no pictures: the layout DZI is missing."}</p>
      </div>
    );
  }
  const isRendered = view === ORIGINAL && picture.view === "render";
  const url = isRendered ? inView(picture.url, renderView(settled)) : picture.url;
  return (
    <>
      <Picture url={url} label={image.name} spacing={spacing} />
      {isRendered && <Sliders axes={image.axes} position={position} onChange={setPosition} />}
    </>
  );
}

/** A value once it has stood still for some milliseconds. */
function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
