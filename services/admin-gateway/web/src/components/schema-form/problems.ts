import { type OutputUnit, Validator } from "@cfworker/json-schema";
import { isJsonObject, type Json, type JsonObject } from "./json";

/** What is wrong with one field: the JSON Schema keyword that failed, and its value there. */
export interface Problem {
  keyword: string;
  limit: string;
}

export type Problems = Record<string, Problem>;

/** Keywords that only tell that something inside them failed. */
const CONTAINERS = new Set([
  "$ref",
  "additionalItems",
  "allOf",
  "anyOf",
  "contains",
  "dependentSchemas",
  "else",
  "if",
  "items",
  "oneOf",
  "patternProperties",
  "prefixItems",
  "properties",
  "then",
  "false",
]);

/**
 * Checks settings by their schema, as the server will: at most one problem a field, by the field's name.
 * The validator interprets the schema, so that no code is made of it (the page forbids that).
 */
export function settingsProblems(schema: JsonObject, settings: JsonObject): Problems {
  const problems: Problems = {};
  for (const name of missing(schema, settings)) problems[name] = { keyword: "required", limit: "" };
  for (const error of new Validator(schema, "2020-12", false).validate(settings).errors) {
    const name = fieldOf(error);
    if (name === undefined || name in problems || CONTAINERS.has(error.keyword)) continue;
    const limit = valueAt(schema, error.keywordLocation);
    problems[name] =
      error.keyword === "minLength" && limit === 1
        ? { keyword: "required", limit: "" }
        : { keyword: error.keyword, limit: limit === undefined ? "" : shown(limit) };
  }
  return problems;
}

function missing(schema: JsonObject, settings: JsonObject): string[] {
  const required = Array.isArray(schema["required"]) ? schema["required"] : [];
  return required.filter((name) => typeof name === "string").filter((name) => !(name in settings));
}

function fieldOf(error: OutputUnit): string | undefined {
  const name = error.instanceLocation.split("/")[1];
  return name === undefined ? undefined : unescaped(name);
}

function valueAt(schema: JsonObject, pointer: string): Json | undefined {
  let value: Json | undefined = schema;
  for (const step of pointer.split("/").slice(1).map(unescaped)) {
    if (Array.isArray(value)) value = value[Number(step)];
    else value = isJsonObject(value) ? value[step] : undefined;
  }
  return value;
}

function unescaped(step: string): string {
  return step.replaceAll("~1", "/").replaceAll("~0", "~");
}

function shown(limit: Json): string {
  return Array.isArray(limit) ? limit.map(String).join(", ") : String(limit);
}
