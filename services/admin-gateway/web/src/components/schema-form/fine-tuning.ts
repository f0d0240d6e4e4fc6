import type { FormField } from "./fields";

/** Settings few people touch, by name: shown folded. A schema cannot tell, and pages should not list every operation. */
const FINE = [
  /^safety_/,
  /_seconds$/,
  /^no_image_/,
  /^max_input_/,
  /^(response|seed|scale|original_language)$/,
];

export function isFineTuning(field: FormField): boolean {
  return !field.required && field.kind !== "json" && FINE.some((pattern) => pattern.test(field.name));
}
