import assert from "node:assert/strict";
import { test } from "node:test";
import type { Axis, ChannelStatistics, Description, Representation } from "../src/api.ts";
import { isVolume, neuroglancerAddress, neuroglancerState, volumeOf } from "../src/neuroglancer/state.ts";

const axis = (name: string, size: number, spacing = 1, unit: string | null = "micrometer"): Axis => ({
  name,
  type: name === "c" ? "channel" : name === "t" ? "time" : "space",
  unit: name === "c" ? null : unit,
  size,
  spacing,
});

const image = (axes: Axis[], more: Partial<Description> = {}): Description => ({
  path: "r/brain.nii",
  name: "brain",
  format: "NIfTI-1",
  stored: "r/brain.nii/stored",
  scenes: [],
  kind: "intensity",
  dtype: "uint16",
  axes,
  levels: [],
  channels: [],
  world: null,
  metadata: {
    description: "",
    acquired: null,
    magnification: null,
    objective: "",
    aperture: null,
    instrument: "",
    position: {},
    rescale: null,
    extra: {},
  },
  ...more,
});

const served = (layout: string, refused: string | null = null): Representation => ({
  layout,
  title: layout,
  view: "original",
  url: `/data/r/a b.nii/original/a b.${layout}/`,
  is_folder: true,
  picture: false,
  refused,
  steps: [],
});

const measured = (min: number, max: number, low: number, high: number): ChannelStatistics => ({
  name: "",
  count: 10,
  min,
  max,
  percentiles: { "0.1": low, "99.9": high },
});

const extent = { width: 1000, height: 660 };
const state = (of: Description, layout: string, statistics: ChannelStatistics[] = []) =>
  // biome-ignore lint/suspicious/noExplicitAny: JSON that the assertions look into
  neuroglancerState(of, served(layout), statistics, "http://host:1", extent) as any;

const space = [axis("z", 10, 4), axis("y", 300), axis("x", 200)];

test("precomputed is preferred, and what is refused is never taken", () => {
  assert.equal(volumeOf([served("ome-zarr"), served("precomputed")])?.layout, "precomputed");
  assert.equal(
    volumeOf([served("precomputed", "no time"), served("ome-zarr-0_4"), served("ome-zarr")])?.layout,
    "ome-zarr",
  );
  assert.equal(volumeOf([served("dzi"), served("precomputed", "no")]), null);
});

test("only a stack is a volume", () => {
  assert.ok(isVolume(space));
  assert.ok(!isVolume([axis("z", 1), axis("y", 3), axis("x", 3)]));
});

test("the whole volume is in view, in voxels of the finest spacing", () => {
  const { dimensions, crossSectionScale, layout } = state(image(space), "precomputed");
  assert.deepEqual(dimensions, { x: [1e-6, "m"], y: [1e-6, "m"], z: [4e-6, "m"] });
  assert.equal(crossSectionScale, 1.08);
  assert.equal(layout, "4panel");
});

test("one channel is shown within its percentiles, and within its own window where it has one", () => {
  const shader = (of: Description) => state(of, "precomputed", [measured(0, 900, 10, 500)]).layers[0].shader;
  assert.match(shader(image(space)), /range=\[10, 500\], window=\[0, 900\]/);
  const channel = {
    name: "DAPI",
    colour: "0000ff",
    window: [5, 1000] as [number, number],
    excitation: null,
    emission: null,
  };
  assert.match(shader(image(space, { channels: [channel] })), /range=\[5, 1000\], window=\[0, 1000\]/);
  assert.match(shader(image(space, { channels: [channel] })), /default="#0000ff"/);
});

test("an image of one value is not divided by nothing", () => {
  assert.match(state(image(space), "precomputed", [measured(7, 7, 7, 7)]).layers[0].shader, /range=\[7, 8\]/);
});

test("labels are a segmentation", () => {
  assert.equal(state(image(space, { kind: "labels" }), "precomputed").layers[0].type, "segmentation");
});

test("channels are summed in one shader of precomputed, and are layers of OME-Zarr", () => {
  const of = image([axis("c", 3), ...space]);
  const [layer, ...none] = state(of, "precomputed").layers;
  assert.equal(none.length, 0);
  assert.match(layer.shader, /brightness_2\(range=\[0, 1\], window=\[0, 1\], channel=2\)/);
  const layers = state(of, "ome-zarr").layers;
  assert.deepEqual(
    layers.map((each: { localPosition: number[] }) => each.localPosition),
    [[0], [1], [2]],
  );
  assert.equal(layers[1].source, "http://host:1/data/r/a%20b.nii/original/a%20b.ome-zarr/|zarr3:");
});

test("an axis of space without a unit has the unit of the plane", () => {
  const of = image([axis("z", 5, 2, null), axis("y", 30, 0.1), axis("x", 20, 0.1)]);
  const { layers, dimensions } = state(of, "precomputed");
  assert.deepEqual(dimensions.z, [2e-6, "m"]);
  assert.deepEqual(layers[0].source.transform.inputDimensions, layers[0].source.transform.outputDimensions);
  assert.deepEqual(layers[0].source.transform.outputDimensions, { x: [1e-7, "m"], y: [1e-7, "m"], z: [2e-6, "m"] });
  assert.deepEqual(Object.keys(state(of, "ome-zarr").layers[0].source.transform.outputDimensions), ["z", "y", "x"]);
});

test("the state stands behind the address as JSON", () => {
  const address = neuroglancerAddress({ layout: "xy", name: "a#b%" });
  assert.deepEqual(JSON.parse(decodeURIComponent(address.split("#!")[1] ?? "")), { layout: "xy", name: "a#b%" });
});
