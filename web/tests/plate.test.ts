import assert from "node:assert/strict";
import { test } from "node:test";
import { plateOf } from "../src/plate.ts";

const named = (...names: string[]) => names.map((name) => ({ name }));

test("a plate has all rows and columns up to its last well", () => {
  const plate = plateOf(named("A/1/1", "A/1/2", "C/02/1"));
  assert.deepEqual(plate?.rows, ["A", "B", "C"]);
  assert.deepEqual(plate?.columns, [1, 2]);
  assert.deepEqual(plate?.fields.get("A1"), named("A/1/1", "A/1/2"));
  assert.deepEqual(plate?.fields.get("C2"), named("C/02/1"));
});

test("plates of 1536 wells have rows of two letters", () => {
  const plate = plateOf(named("A/1/0", "AF/48/0"));
  assert.deepEqual([plate?.rows.length, plate?.rows.at(-1), plate?.columns.length], [32, "AF", 48]);
});

test("other images make no plate", () => {
  assert.equal(plateOf(named("A/1/1")), null);
  assert.equal(plateOf(named("A/1/1", "A/2/1", "overview")), null);
  assert.equal(plateOf(named("A/1/1", "A/99/1")), null);
  assert.equal(plateOf(named("s0", "s1")), null);
  assert.equal(plateOf([]), null);
});
