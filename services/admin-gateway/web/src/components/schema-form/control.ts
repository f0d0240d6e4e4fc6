import type { FieldWords } from "../operation-words";
import type { FieldOf, FormField } from "./fields";
import type { Json } from "./json";

/** What every control of a generated form gets. */
export interface ControlProps<Kind extends FormField["kind"]> {
  field: FieldOf<Kind>;
  words: FieldWords;
  value: Json | undefined;
  error: string | undefined;
  onChange: (value: Json) => void;
}

export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}
