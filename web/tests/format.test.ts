import assert from "node:assert/strict";
import { test } from "node:test";
import { length, number, plural, quantity, roundLength } from "../src/format.ts";

test("numbers are short, and long ones are in groups", () => {
  assert.equal(number(0.49912345), "0.4991");
  assert.equal(number(-1), "-1");
  assert.equal(number(2048), "2048");
  assert.equal(number(1234567), "1\u202f234\u202f567");
  assert.equal(number(-12345), "-12\u202f345");
  assert.equal(number(0.000012), "1.2e-5");
  assert.equal(number(12345.678), "12\u202f350");
});

test("quantities have their unit's symbol", () => {
  assert.equal(quantity(0.5, "micrometer"), "0.5 µm");
  assert.equal(quantity(2, "parsec"), "2 parsec");
  assert.equal(quantity(2, null), "2");
});

test("lengths choose their unit", () => {
  assert.equal(length(2e-4), "200 µm");
  assert.equal(length(1e-3), "1 mm");
  assert.equal(length(5e-9), "5 nm");
  assert.equal(length(1e-15), "0.001 pm");
});

test("scale bars are 1, 2 or 5 times a power of ten, and never too wide", () => {
  assert.ok(Math.abs(roundLength(7.3e-5) - 5e-5) < 1e-12);
  assert.ok(Math.abs(roundLength(2e-4) - 2e-4) < 1e-12);
  assert.ok(Math.abs(roundLength(1.99) - 1) < 1e-12);
});

test("one is not many", () => {
  assert.equal(plural(1, "image"), "1 image");
  assert.equal(plural(2, "repository", "repositories"), "2 repositories");
});
