import assert from "node:assert/strict";
import { test } from "node:test";
import {
  browseAddress,
  datasetOf,
  imageAddress,
  pageOf,
  parent,
  storedAddress,
  thumbnailAddress,
} from "../src/paths.ts";
import { inView, ORIGINAL, renderView, stepsOf, viewOf } from "../src/view.ts";

test("an address leads to its page, and the page's path back to the address", () => {
  const path = "slides/a b/50% #1?.tif";
  assert.deepEqual(pageOf(imageAddress(path)), { page: "image", path });
  assert.deepEqual(pageOf(browseAddress(path)), { page: "browse", path });
  assert.deepEqual(pageOf("/"), { page: "home" });
  assert.deepEqual(pageOf("/browse/"), { page: "home" });
  assert.deepEqual(pageOf("/image/"), { page: "unknown", path: "/image/" });
  assert.deepEqual(pageOf("/elsewhere/x"), { page: "unknown", path: "/elsewhere/x" });
});

test("an address with a stray percent sign is still a page", () => {
  assert.deepEqual(pageOf("/image/r/100%"), { page: "image", path: "r/100%" });
});

test("names are encoded and slashes kept", () => {
  assert.equal(thumbnailAddress("r/a b/c#1.tif", 64), "/api/thumbnail/r/a%20b/c%231.tif?size=64");
  assert.equal(storedAddress("r/x y.tif/stored"), "/data/r/x%20y.tif/stored/");
  assert.equal(browseAddress(""), "/");
  assert.equal(parent("a/b/c"), "a/b");
});

test("the file of an image is what its stored folder is in", () => {
  assert.equal(datasetOf("r/stored/x.tif/stored"), "r/stored/x.tif");
});

test("a view is spelled canonically: z before t, defaults left out", () => {
  assert.equal(renderView({}), "render");
  assert.equal(renderView({ t: 3, z: 12 }), "render,z=12,t=3");
  assert.equal(renderView({ z: 0 }), "render,z=0");
});

test("the view of an address is the folder of its file", () => {
  assert.equal(inView("/data/r/render/c.tif/render/c.dzi", "render,z=1"), "/data/r/render/c.tif/render,z=1/c.dzi");
  assert.equal(inView("/data/r/c.tif/original/c.precomputed/", "render"), "/data/r/c.tif/render/c.precomputed/");
});

test("a view is operations in order, and they are the view", () => {
  const view = "project,axis=z~calculate,expression=where(gt(c0;1);c0;0)~render";
  assert.deepEqual(stepsOf(view), [
    { name: "project", values: { axis: "z" } },
    { name: "calculate", values: { expression: "where(gt(c0;1);c0;0)" } },
    { name: "render", values: {} },
  ]);
  assert.equal(viewOf(stepsOf(view)), view);
  assert.deepEqual(stepsOf(ORIGINAL), []);
  assert.equal(viewOf([]), ORIGINAL);
});

test("what is left empty is left out of a view, and a comma parts arguments as it can", () => {
  const steps = [{ name: "calculate", values: { expression: " max(c0, c1) ", other: " " } }];
  assert.equal(viewOf(steps), "calculate,expression=max(c0; c1)");
});
