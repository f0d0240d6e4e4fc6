/** One entry of a 422's `errors`. */
export interface FieldError {
  field: string;
  message: string;
}

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

/** Sorts errors by their dotted path: `settings.prompt`, `settings.tags[0]`, `template_media.0`, `size_limit_mb`. */
export function sortedErrors(errors: readonly FieldError[]): ServerErrors {
  const sorted: ServerErrors = { settings: {}, templates: [], values: {} };
  for (const { field, message } of errors) {
    const [first = "", second] = steps(field);
    if (first === "settings" && second !== undefined) sorted.settings[second] ??= message;
    else if (first === "template_media" || first === "template_roles") sorted.templates.push(message);
    else sorted.values[first] ??= message;
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
