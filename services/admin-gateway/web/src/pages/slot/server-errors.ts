import type { FieldError } from "@/api/errors";

/** What the server refused, sorted to where it is shown. */
export interface ServerErrors {
  /** By name of the setting. */
  settings: Record<string, string>;
  /** Of the template images as a whole. */
  templates: string[];
  /** By the API's name of a value. */
  values: Record<string, string>;
}

export const NO_SERVER_ERRORS: ServerErrors = { settings: {}, templates: [], values: {} };

/**
 * Sorts errors by their dotted path: `settings.prompt`, `settings.tags[0]`, `template_media.0`, `size_limit_mb`.
 *
 * `textOf` says an error, given the path of the value it is shown at.
 */
export function sortedErrors(
  errors: readonly FieldError[],
  textOf: (error: FieldError, path: string) => string,
): ServerErrors {
  const sorted: ServerErrors = { settings: {}, templates: [], values: {} };
  for (const error of errors) {
    const [first = "", second] = steps(error.field);
    if (first === "settings" && second !== undefined) {
      sorted.settings[second] ??= textOf(error, `settings.${second}`);
    } else if (first === "template_media" || first === "template_roles") {
      sorted.templates.push(textOf(error, "template_media"));
    } else {
      sorted.values[first] ??= textOf(error, first);
    }
  }
  return sorted;
}

export function hasErrors(errors: ServerErrors): boolean {
  return (
    errors.templates.length > 0 ||
    Object.keys(errors.settings).length > 0 ||
    Object.keys(errors.values).length > 0
  );
}

function steps(path: string): string[] {
  return path.match(/[^.[\]'"]+/g) ?? [];
}
