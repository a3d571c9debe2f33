/** A live OpenSeadragon view of a DZI picture, with a scale bar where the size of a pixel is known. */

import OpenSeadragon from "openseadragon";
import { useEffect, useRef, useState } from "preact/hooks";
import { length, roundLength } from "../format.ts";
import { Icon } from "./icon.tsx";

type Props = {
  url: string;
  label: string;
  /** The width of a pixel in metres. */
  spacing: number | null;
};

type State = "waiting" | "loaded" | "failed";

export function Picture({ url, label, spacing }: Props) {
  const stage = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const viewer = useRef<OpenSeadragon.Viewer | null>(null);
  const [state, setState] = useState<State>("waiting");
  const [zoom, setZoom] = useState<number | null>(null);
  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null);

  useEffect(() => {
    if (!stage.current) return;
    const made = newViewer(stage.current, label);
    viewer.current = made;
    for (const event of ["animation", "resize"] as const) made.addHandler(event, () => setZoom(zoomOf(made)));
    const stop = followPointer(made, setPointer);
    return () => {
      stop();
      made.destroy();
      viewer.current = null;
    };
  }, [label]);

  useEffect(() => {
    if (viewer.current)
      return showPicture(viewer.current, url, setState, () => setZoom(viewer.current && zoomOf(viewer.current)));
  }, [url, label]);

  const view = () => viewer.current?.viewport;
  return (
    <div class="picture" ref={frame} data-state={state}>
      <div class="stage" ref={stage} />
      {state === "failed" && (
        <p class="stage-note" role="alert">
          This picture cannot be shown: its tiles do not come.
        </p>
      )}
      <div class="tools" role="toolbar" aria-label="Zoom">
        <Tool name="Zoom in" icon="plus" onClick={() => view()?.zoomBy(1.6).applyConstraints()} />
        <Tool
          name="Zoom out"
          icon="minus"
          onClick={() =>
            view()
              ?.zoomBy(1 / 1.6)
              .applyConstraints()
          }
        />
        <Tool name="Show the whole image" icon="fit" onClick={() => view()?.goHome()} />
        <Tool
          name="Show each pixel as one pixel of the screen"
          icon="actual"
          onClick={() => viewer.current && actualSize(viewer.current)}
        />
        <Tool name="Fill the screen" icon="full" onClick={() => toggleFullscreen(frame.current)} />
      </div>
      <div class="readout" aria-hidden="true">
        {zoom !== null && spacing !== null && <ScaleBar metresPerPixel={spacing / zoom} />}
        <span class="coordinates">
          {pointer && `x ${pointer.x}  y ${pointer.y}`}
          {zoom !== null && <span>{percent(zoom)}</span>}
        </span>
      </div>
    </div>
  );
}

function Tool({ name, icon, onClick }: { name: string; icon: string; onClick: () => void }) {
  return (
    <button type="button" title={name} aria-label={name} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

const WIDEST_BAR = 150;

function ScaleBar({ metresPerPixel }: { metresPerPixel: number }) {
  if (!(metresPerPixel > 0 && Number.isFinite(metresPerPixel))) return null;
  const metres = roundLength(metresPerPixel * WIDEST_BAR);
  return (
    <span class="scale-bar" style={{ width: `${metres / metresPerPixel}px` }}>
      {length(metres)}
    </span>
  );
}

function newViewer(element: HTMLElement, label: string): OpenSeadragon.Viewer {
  const viewer = OpenSeadragon({
    element,
    drawer: "canvas",
    showNavigationControl: false,
    showNavigator: true,
    navigatorPosition: "TOP_RIGHT",
    navigatorAutoFade: true,
    navigatorSizeRatio: 0.16,
    animationTime: 0.5,
    springStiffness: 9,
    maxZoomPixelRatio: 16,
    minZoomImageRatio: 0.8,
    visibilityRatio: 0.4,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
  });
  viewer.canvas.setAttribute("aria-label", `${label}: drag to move, scroll or press + and - to zoom`);
  viewer.canvas.setAttribute("role", "application");
  for (const event of ["animation", "resize"] as const) viewer.addHandler(event, () => adapt(viewer));
  return viewer;
}

/** Draws pixels as the squares they are once they fill several of the screen; hides the navigator of a whole image. */
function adapt(viewer: OpenSeadragon.Viewer): void {
  viewer.drawer.setImageSmoothingEnabled((zoomOf(viewer) ?? 1) < 2);
  const isWhole = viewer.viewport.getZoom() <= viewer.viewport.getHomeZoom() * 1.05;
  viewer.navigator?.element.classList.toggle("idle", isWhole);
}

/** How many pixels of the screen a pixel of the image takes. */
function zoomOf(viewer: OpenSeadragon.Viewer): number | null {
  const item = viewer.world.getItemCount() > 0 ? viewer.world.getItemAt(0) : null;
  return item ? item.viewportToImageZoom(viewer.viewport.getZoom(true)) : null;
}

/** Puts a picture over the one shown, which goes when the new one is all there: a stack is leafed through without flicker. */
function showPicture(
  viewer: OpenSeadragon.Viewer,
  url: string,
  tell: (state: State) => void,
  opened: () => void,
): () => void {
  let current = true;
  tell("waiting");
  viewer.addTiledImage({
    tileSource: url,
    success: (event) => {
      const item = (event as unknown as { item: OpenSeadragon.TiledImage }).item;
      if (!current) {
        viewer.world.removeItem(item);
        return;
      }
      adapt(viewer);
      opened();
      const loaded = () => {
        if (!current || !item.getFullyLoaded()) return;
        item.removeHandler("fully-loaded-change", loaded);
        removeAllBut(viewer.world, item);
        tell("loaded");
      };
      item.addHandler("fully-loaded-change", loaded);
      loaded();
    },
    error: () => current && tell("failed"),
  });
  const failed = () => current && tell("failed");
  viewer.addHandler("tile-load-failed", failed);
  return () => {
    current = false;
    viewer.removeHandler("tile-load-failed", failed);
  };
}

function removeAllBut(world: OpenSeadragon.World, kept: OpenSeadragon.TiledImage): void {
  for (let k = world.getItemCount() - 1; k >= 0; k--) {
    const item = world.getItemAt(k);
    if (item !== kept) world.removeItem(item);
  }
}

function actualSize(viewer: OpenSeadragon.Viewer): void {
  const item = viewer.world.getItemAt(0);
  if (item) viewer.viewport.zoomTo(item.imageToViewportZoom(1));
}

function toggleFullscreen(element: HTMLElement | null): void {
  if (document.fullscreenElement) document.exitFullscreen();
  else element?.requestFullscreen?.();
}

function followPointer(
  viewer: OpenSeadragon.Viewer,
  tell: (pointer: { x: number; y: number } | null) => void,
): () => void {
  const moved = (event: PointerEvent) => {
    const item = viewer.world.getItemAt(0);
    if (!item) return;
    const box = viewer.element.getBoundingClientRect();
    const point = item.viewerElementToImageCoordinates(
      new OpenSeadragon.Point(event.clientX - box.x, event.clientY - box.y),
    );
    const size = item.getContentSize();
    const inside = point.x >= 0 && point.y >= 0 && point.x < size.x && point.y < size.y;
    tell(inside ? { x: Math.floor(point.x), y: Math.floor(point.y) } : null);
  };
  const left = () => tell(null);
  viewer.element.addEventListener("pointermove", moved);
  viewer.element.addEventListener("pointerleave", left);
  return () => {
    viewer.element.removeEventListener("pointermove", moved);
    viewer.element.removeEventListener("pointerleave", left);
  };
}

function percent(zoom: number): string {
  const value = zoom * 100;
  return `${value >= 10 ? Math.round(value) : value.toPrecision(2)} %`;
}
