/** The state in which Neuroglancer first shows a volume; https://neuroglancer-docs.web.app/json/api/ */

import type { Axis, ChannelStatistics, Description, Representation } from "../api.ts";
import { metres } from "../format.ts";

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };
type State = { [key: string]: Json };

/** How many pixels wide and high the panels will be, all four together. */
export type Extent = { width: number; height: number };

/** Neuroglancer samples every channel of a shader at once; more than this it would only choke on. */
const MOST_CHANNELS = 8;

const FORMATS: Record<string, string> = {
  precomputed: "neuroglancer-precomputed:",
  "ome-zarr": "zarr3:",
  "ome-zarr-0_4": "zarr2:",
};

/** The representation that Neuroglancer reads best, of those that hold this image as it is. */
export function volumeOf(representations: Representation[]): Representation | null {
  const held = representations.filter((one) => one.refused === null);
  return Object.keys(FORMATS).flatMap((layout) => held.filter((one) => one.layout === layout))[0] ?? null;
}

export function isVolume(axes: Axis[]): boolean {
  return size(axes, "z") > 1;
}

/** The address of the Neuroglancer page in a state. */
export function neuroglancerAddress(state: State): string {
  return `/neuroglancer/#!${encodeURIComponent(JSON.stringify(state))}`;
}

/** Everything in view, no channel black, four panels. */
export function neuroglancerState(
  image: Description,
  volume: Representation,
  statistics: ChannelStatistics[],
  origin: string,
  extent: Extent,
): State {
  const url = new URL(volume.url, origin).href;
  const source = sourceOf(image, volume, `${url}|${FORMATS[volume.layout]}`);
  const layers = layersOf(image, volume, statistics, source);
  return {
    layers,
    selectedLayer: { visible: false, layer: layers[0]?.name ?? image.name },
    layout: "4panel",
    crossSectionBackgroundColor: "#16191d",
    ...framing(image, volume, extent),
  };
}

function layersOf(image: Description, volume: Representation, statistics: ChannelStatistics[], source: Json): State[] {
  if (image.kind === "labels") return [{ type: "segmentation", name: image.name, source, tab: "segments" }];
  const channels = size(image.axes, "c");
  const layer = (name: string, shader: string, more: State = {}): State => ({
    type: "image",
    name,
    source,
    shader,
    ...more,
  });
  if (channels === 1) return [layer(image.name, singleShader(shown(image, statistics, 0)))];
  if (volume.layout === "precomputed") {
    const all = Array.from({ length: Math.min(channels, MOST_CHANNELS) }, (_, c) => shown(image, statistics, c));
    return [layer(image.name, image.kind === "rgb" ? colourShader(image, all) : compositeShader(all))];
  }
  // In OME-Zarr the channels are a dimension of the layer's own: one layer for each, added up.
  return Array.from({ length: Math.min(channels, MOST_CHANNELS) }, (_, c) => {
    const channel = shown(image, statistics, c);
    return layer(channel.name, singleShader(channel), { localPosition: [c], blend: "additive", opacity: 1 });
  });
}

type Shown = { name: string; colour: string; low: number; high: number; least: number; most: number };

/** Of channels that have no colour, in the order that ImageJ gives them and the view `render` shows them in. */
const COLOURS = ["#ff0000", "#00ff00", "#0000ff", "#ffffff", "#00ffff", "#ff00ff", "#ffff00"];
const RGB = ["#ff0000", "#00ff00", "#0000ff"];

/** How a channel is shown: within its own window, or what the statistics say holds nearly all pixels. */
function shown(image: Description, statistics: ChannelStatistics[], index: number): Shown {
  const channel = image.channels[index];
  const measured = statistics[index];
  const several = size(image.axes, "c") > 1;
  const least = measured?.min ?? 0;
  const most = Math.max(measured?.max ?? 1, least);
  const [low, high] = channel?.window ?? [
    measured?.percentiles?.["0.1"] ?? least,
    measured?.percentiles?.["99.9"] ?? most,
  ];
  const colour = image.kind === "rgb" ? RGB[index] : channel?.colour ? `#${channel.colour}` : null;
  return {
    name: channel?.name || `channel ${index}`,
    colour: colour ?? (several ? (COLOURS[index % COLOURS.length] ?? "#ffffff") : "#ffffff"),
    low,
    high: high > low ? high : low + 1,
    least: Math.min(least, low),
    most: Math.max(most, high, low + 1),
  };
}

function limits({ low, high, least, most }: Shown): string {
  return `range=[${low}, ${high}], window=[${least}, ${most}]`;
}

function singleShader(channel: Shown): string {
  return `#uicontrol invlerp brightness(${limits(channel)})
#uicontrol vec3 colour color(default="${channel.colour}")
void main() {
  emitRGB(colour * brightness());
}
`;
}

function compositeShader(channels: Shown[]): string {
  const controls = channels.map(
    (channel, c) => `#uicontrol bool show_${c} checkbox(default=true)
#uicontrol invlerp brightness_${c}(${limits(channel)}, channel=${c})
#uicontrol vec3 colour_${c} color(default="${channel.colour}")`,
  );
  const sums = channels.map((_, c) => `  if (show_${c}) colour += colour_${c} * brightness_${c}();`);
  return `${controls.join("\n")}
void main() {
  vec3 colour = vec3(0.0);
${sums.join("\n")}
  emitRGB(colour);
}
`;
}

function colourShader(image: Description, channels: Shown[]): string {
  if (image.dtype === "uint8") {
    const [red, green, blue] = [0, 1, 2].map((c) => `toNormalized(getDataValue(${c}))`);
    return `void main() {\n  emitRGB(vec3(${red}, ${green}, ${blue}));\n}\n`;
  }
  return compositeShader(channels.slice(0, 3));
}

/** Zooms at which the whole volume is in view, in canonical voxels: cubes as wide as the finest spacing. */
function framing(image: Description, volume: Representation, { width, height }: Extent): State {
  const space = ["x", "y", "z"].flatMap((name) => image.axes.find((axis) => axis.name === name) ?? []);
  const sizes = space.map((axis) => spacingIn(image, volume, axis));
  const finest = Math.min(...sizes.map(([size]) => size));
  const [wide = 1, high = 1, deep = 1] = space.map((axis, k) => (axis.size * (sizes[k]?.[0] ?? 1)) / finest);
  const across = Math.max(wide, deep) / (width / 2);
  const down = Math.max(high, deep) / (height / 2 - BARS);
  return {
    // Zooms mean nothing to Neuroglancer before it knows the spacing, and it takes them in before the volume.
    dimensions: Object.fromEntries(space.map((axis, k) => [axis.name, sizes[k] ?? [1, ""]])),
    crossSectionScale: rounded(Math.max(across, down) * 1.08),
    projectionScale: rounded(Math.hypot(wide, high, deep) * 1.1),
  };
}

/** How many pixels of each panel's height go to Neuroglancer's own bars. */
const BARS = 30;

/**
 * The spacing along an axis as the volume is shown, with its SI unit.
 *
 * An axis of space without a unit has that of the plane, else a volume would be a thread: 1 of nothing by 100 nm.
 */
function spacingIn(image: Description, volume: Representation, { name, type, unit, spacing }: Axis): [number, string] {
  const size = spacing ?? 1;
  if (type === "time") return unit === null ? [size, ""] : [size * (SECONDS[unit] ?? 1), "s"];
  if (type !== "space") return [1, ""];
  const known = metres(unit) ?? metres(image.axes.find((axis) => axis.name === "x" && name !== "x")?.unit ?? null);
  if (known !== null) return [Number((size * known).toPrecision(12)), "m"];
  return volume.layout === "precomputed" ? [size * 1e-9, "m"] : [size, ""];
}

const SECONDS: Record<string, number> = { millisecond: 1e-3, second: 1, minute: 60, hour: 3600 };

/** The volume's address, with the spacing along its axes where the representation cannot tell it. */
function sourceOf(image: Description, volume: Representation, url: string): Json {
  const units = new Set(image.axes.filter((axis) => axis.type === "space").map((axis) => axis.unit !== null));
  if (units.size === 1) return url;
  const names = volume.layout === "precomputed" ? precomputedAxes(image) : image.axes;
  const dimensions = Object.fromEntries(
    names.map((axis) => [
      axis.type === "channel" ? (volume.layout === "precomputed" ? "c^" : "c'") : axis.name,
      spacingIn(image, volume, axis),
    ]),
  );
  return { url, transform: { inputDimensions: dimensions, outputDimensions: dimensions } };
}

/** The axes of a precomputed volume, in its order. */
function precomputedAxes(image: Description): Axis[] {
  const held = ["x", "y", "z"].flatMap((name) => image.axes.find((axis) => axis.name === name) ?? []);
  const channels = image.axes.find((axis) => axis.name === "c" && axis.size > 1);
  return channels ? [...held, channels] : held;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function size(axes: Axis[], name: string): number {
  return axes.find((axis) => axis.name === name)?.size ?? 1;
}
