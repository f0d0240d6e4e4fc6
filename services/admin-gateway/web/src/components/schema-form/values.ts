import { type FormField, fieldsOf } from "./fields";
import type { Json, JsonObject } from "./json";
import { settingsProblems } from "./problems";

/** The values a form shows: what is given, the schema's defaults for the rest. */
export function withDefaults(schema: JsonObject, given: JsonObject): JsonObject {
  const missing = fieldsOf(schema).filter((field) => !(field.name in given) && field.default !== undefined);
  return { ...given, ...Object.fromEntries(missing.map((field) => [field.name, field.default ?? null])) };
}

/** Values for another operation: those that mean the same there are kept, the others start at their defaults. */
export function carriedOver(from: JsonObject, schema: JsonObject): JsonObject {
  const known = fieldsOf(schema).filter((field) => field.name in from);
  const kept = Object.fromEntries(known.map((field) => [field.name, from[field.name] ?? null]));
  const problems = settingsProblems(schema, withDefaults(schema, kept));
  return withDefaults(
    schema,
    Object.fromEntries(Object.entries(kept).filter(([name]) => !(name in problems))),
  );
}

/** What an empty control of this field holds. */
export function emptyValue(field: FormField): Json {
  if (field.default !== undefined) return field.default;
  switch (field.kind) {
    case "switch":
      return false;
    case "list":
      return [];
    case "number":
      return field.minimum ?? 0;
    case "choice":
      return field.options[0] ?? "";
    case "json":
      return {};
    default:
      return "";
  }
}
