import { describe, expect, it } from "vitest";
import { fieldsOf } from "./fields";
import type { JsonObject } from "./json";

const only = (rules: JsonObject, rest: JsonObject = {}) =>
  fieldsOf({ type: "object", properties: { field: rules }, ...rest })[0];

describe("the fields of a schema", () => {
  it("begin with the prompt, wherever the schema has it", () => {
    const fields = fieldsOf({
      properties: {
        pause: { type: "number" },
        prompt: { type: "string", "x-placeholders": true },
        seed: { type: "integer" },
      },
    });
    expect(fields.map(({ name }) => name)).toEqual(["prompt", "pause", "seed"]);
  });

  it("know the schema's words, what is needed and the default", () => {
    expect(
      only(
        { type: "string", title: "Sun", description: "Its side.", default: "left" },
        { required: ["field"] },
      ),
    ).toMatchObject({ title: "Sun", description: "Its side.", default: "left", required: true });
    expect(only({ type: "boolean" })).toMatchObject({ title: "field", description: "", required: false });
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["a text", { type: "string", maxLength: 9 }, { kind: "text", maxLength: 9 }],
    ["a text with examples", { type: "string", examples: ["a"] }, { kind: "text", suggestions: ["a"] }],
    ["a long text", { type: "string", "x-multiline": true }, { kind: "long-text", placeholders: false }],
    ["a prompt", { type: "string", "x-placeholders": true }, { kind: "long-text", placeholders: true }],
    ["a choice", { type: "string", enum: ["a", "b"] }, { kind: "choice", options: ["a", "b"] }],
    ["a whole number", { type: "integer", minimum: 1, maximum: 5 }, { kind: "number", whole: true, step: 1 }],
    ["a number", { type: "number", multipleOf: 0.5 }, { kind: "number", whole: false, step: 0.5 }],
    ["a switch", { type: "boolean" }, { kind: "switch" }],
    ["a colour by format", { type: "string", format: "color" }, { kind: "color", optional: false }],
    [
      "a colour by pattern that may be empty",
      { type: "string", pattern: "^(#[0-9A-Fa-f]{6})?$" },
      { kind: "color", optional: true },
    ],
    ["a list of texts", { type: "array", items: { type: "string" } }, { kind: "list", of: "text" }],
    [
      "a list of numbers",
      { type: "array", items: { type: "integer" }, maxItems: 3 },
      { kind: "list", maxItems: 3 },
    ],
  ])("show %s by the control that fits", (_, rules, expected) => {
    expect(only(rules)).toMatchObject(expected);
  });

  it.each<[string, JsonObject]>([
    ["an object", { type: "object" }],
    ["either of two kinds", { anyOf: [{ type: "string" }, { type: "null" }] }],
    ["a choice of numbers", { type: "integer", enum: [1, 2] }],
    ["a list of objects", { type: "array", items: { type: "object" } }],
    ["nothing said", {}],
  ])("fall back to JSON for %s", (_, rules) => {
    expect(only(rules)).toMatchObject({ kind: "json" });
  });

  it("do not take any pattern for a colour's", () => {
    expect(only({ type: "string", pattern: "^.*$" })).toMatchObject({ kind: "text" });
    expect(only({ type: "string", pattern: "([" })).toMatchObject({ kind: "text" });
  });

  it("follow references into the schema's definitions", () => {
    const definitions = { $defs: { Level: { type: "string", enum: ["low", "high"], title: "Level" } } };
    expect(only({ $ref: "#/$defs/Level", default: "low" }, definitions)).toMatchObject({
      kind: "choice",
      options: ["low", "high"],
      default: "low",
    });
    expect(only({ allOf: [{ $ref: "#/$defs/Level" }], title: "Mine" }, definitions)).toMatchObject({
      kind: "choice",
      title: "Mine",
    });
    expect(only({ $ref: "#/$defs/Missing" }, definitions)).toMatchObject({ kind: "json" });
  });
});
