import { isJsonObject, type Json, type JsonObject } from "./json";

interface FieldBasics {
  name: string;
  /** The schema's own words; the page's dictionary comes first. */
  title: string;
  description: string;
  required: boolean;
  /** What the schema says counts where nothing is given. */
  default: Json | undefined;
}

export type FormField = FieldBasics &
  (
    | { kind: "text"; maxLength: number | undefined; suggestions: string[] }
    | { kind: "long-text"; maxLength: number | undefined; placeholders: boolean }
    | { kind: "choice"; options: string[] }
    | NumberRules
    | { kind: "switch" }
    | { kind: "color"; optional: boolean }
    | { kind: "list"; of: "text" | "number"; options: string[] | undefined; maxItems: number | undefined }
    /** Something this form has no control for: edited as JSON. */
    | { kind: "json" }
  );

export interface NumberRules {
  kind: "number";
  whole: boolean;
  minimum: number | undefined;
  maximum: number | undefined;
  step: number;
}

export type FieldOf<Kind extends FormField["kind"]> = Extract<FormField, { kind: Kind }>;

/** The fields of an operation's JSON Schema: prompts first, then as the schema has them. */
export function fieldsOf(schema: JsonObject): FormField[] {
  const properties = isJsonObject(schema["properties"]) ? schema["properties"] : {};
  const required = new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
  const fields = Object.entries(properties).map(([name, written]) => {
    const rules = resolved(written, schema);
    return {
      name,
      title: text(rules["title"]) ?? name,
      description: text(rules["description"]) ?? "",
      required: required.has(name),
      default: rules["default"],
      ...control(rules),
    };
  });
  return fields.sort((one, other) => Number(takesPlaceholders(other)) - Number(takesPlaceholders(one)));
}

/** Whether `{{field}}` is filled in from what the camera sends. */
export function takesPlaceholders(field: FormField): field is FieldOf<"long-text"> {
  return field.kind === "long-text" && field.placeholders;
}

type Control = FormField extends infer Field
  ? Field extends FormField
    ? Omit<Field, keyof FieldBasics>
    : never
  : never;

function control(rules: JsonObject): Control {
  switch (rules["type"]) {
    case "string":
      return textControl(rules);
    case "integer":
    case "number":
      return Array.isArray(rules["enum"]) ? { kind: "json" } : numberControl(rules);
    case "boolean":
      return { kind: "switch" };
    case "array":
      return listControl(rules);
    default:
      return { kind: "json" };
  }
}

function textControl(rules: JsonObject): Control {
  const options = texts(rules["enum"]);
  if (options) return { kind: "choice", options };
  const pattern = text(rules["pattern"]);
  if (rules["format"] === "color" || isColorPattern(pattern)) {
    return { kind: "color", optional: pattern !== undefined && fits(pattern, "") };
  }
  const maxLength = number(rules["maxLength"]);
  const placeholders = rules["x-placeholders"] === true;
  if (placeholders || rules["x-multiline"] === true) return { kind: "long-text", maxLength, placeholders };
  return { kind: "text", maxLength, suggestions: texts(rules["examples"]) ?? [] };
}

function numberControl(rules: JsonObject): NumberRules {
  const whole = rules["type"] === "integer";
  return {
    kind: "number",
    whole,
    minimum: number(rules["minimum"]),
    maximum: number(rules["maximum"]),
    step: number(rules["multipleOf"]) ?? (whole ? 1 : 0.1),
  };
}

function listControl(rules: JsonObject): Control {
  const items = isJsonObject(rules["items"]) ? rules["items"] : {};
  const maxItems = number(rules["maxItems"]);
  if (items["type"] === "string")
    return { kind: "list", of: "text", options: texts(items["enum"]), maxItems };
  if (items["type"] === "integer" || items["type"] === "number") {
    return { kind: "list", of: "number", options: undefined, maxItems };
  }
  return { kind: "json" };
}

/** Follows `$ref` into the same document, as pydantic writes it for named enumerations. */
function resolved(written: Json, schema: JsonObject): JsonObject {
  if (!isJsonObject(written)) return {};
  const only =
    Array.isArray(written["allOf"]) && written["allOf"].length === 1 ? written["allOf"][0] : written;
  const reference = isJsonObject(only) ? text(only["$ref"]) : undefined;
  const name = reference?.match(/^#\/\$defs\/([^/]+)$/)?.[1];
  const definitions = schema["$defs"];
  const target = name !== undefined && isJsonObject(definitions) ? definitions[name] : undefined;
  return isJsonObject(target) ? { ...target, ...written } : written;
}

function isColorPattern(pattern: string | undefined): boolean {
  return (
    pattern !== undefined && fits(pattern, "#1aF09c") && !fits(pattern, "1aF09c") && !fits(pattern, "#1aF")
  );
}

function fits(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return false;
  }
}

function text(value: Json | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function number(value: Json | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function texts(value: Json | undefined): string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const strings = value.filter((each) => typeof each === "string");
  return strings.length === value.length ? strings : undefined;
}
