import { expect, it } from "vitest";
import type { JsonObject } from "./json";
import { settingsProblems } from "./problems";
import { carriedOver, withDefaults } from "./values";

const schema: JsonObject = {
  type: "object",
  additionalProperties: false,
  required: ["prompt"],
  properties: {
    prompt: { type: "string", minLength: 1, maxLength: 20 },
    model: { type: "string", default: "big" },
    size: { type: "string", enum: ["auto", "4K"], default: "auto" },
    repeats: { type: "integer", minimum: 0, maximum: 10, default: 5 },
    tags: { type: "array", items: { type: "string", maxLength: 3 } },
    color: { type: "string", pattern: "^#[0-9A-F]{6}$", default: "#FFFFFF" },
  },
  if: { properties: { model: { enum: ["small"] } }, required: ["model"] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { properties: { size: { const: "auto" } } },
};

it("finds nothing wrong with what fits", () => {
  expect(settingsProblems(schema, { prompt: "hello", repeats: 0 })).toEqual({});
});

it("names the rule and its bound, by field", () => {
  const settings = { prompt: "x".repeat(21), size: "8K", repeats: 11, color: "red" };
  expect(settingsProblems(schema, settings)).toEqual({
    prompt: { keyword: "maxLength", limit: "20" },
    size: { keyword: "enum", limit: "auto, 4K" },
    repeats: { keyword: "maximum", limit: "10" },
    color: { keyword: "pattern", limit: "^#[0-9A-F]{6}$" },
  });
});

it("says of an emptied needed text that it is needed, as of an absent one", () => {
  expect(settingsProblems(schema, { prompt: "" })).toEqual({ prompt: { keyword: "required", limit: "" } });
  expect(settingsProblems(schema, {})).toEqual({ prompt: { keyword: "required", limit: "" } });
});

it("says of an emptied number that it is of the wrong kind", () => {
  expect(settingsProblems(schema, { prompt: "a", repeats: null })).toEqual({
    repeats: { keyword: "type", limit: "integer" },
  });
});

it("finds what two values together break", () => {
  expect(settingsProblems(schema, { prompt: "a", model: "small", size: "4K" })).toEqual({
    size: { keyword: "const", limit: "auto" },
  });
});

it("lays a problem deep in a value at its field", () => {
  expect(settingsProblems(schema, { prompt: "a", tags: ["ok", "longer"] })).toEqual({
    tags: { keyword: "maxLength", limit: "3" },
  });
});

it("fills in the defaults of what is absent only", () => {
  expect(withDefaults(schema, { prompt: "a", repeats: 0 })).toEqual({
    prompt: "a",
    model: "big",
    size: "auto",
    repeats: 0,
    color: "#FFFFFF",
  });
});

it("carries over to another operation what means the same there and fits", () => {
  const other: JsonObject = {
    type: "object",
    required: ["prompt"],
    properties: {
      prompt: { type: "string", minLength: 1 },
      repeats: { type: "integer", maximum: 3, default: 1 },
      strength: { type: "integer", default: 40 },
    },
  };
  expect(carriedOver({ prompt: "keep me", repeats: 5, size: "4K" }, other)).toEqual({
    prompt: "keep me",
    repeats: 1,
    strength: 40,
  });
});
