/** The same grammar as the service that fills them: `{{name}}`, or `{{name|default}}`. */
const PLACEHOLDER = /\{\{([^{}|]{1,64})(?:\|([^{}]{0,400}))?\}\}/g;

export interface Placeholder {
  name: string;
  /** What stands there when the camera sends no such field; empty where nothing is said. */
  default: string;
}

/** The placeholders of a prompt, each name once, in order. */
export function placeholdersIn(prompt: string): Placeholder[] {
  const found = new Map<string, Placeholder>();
  for (const [, name = "", fallback = ""] of prompt.matchAll(PLACEHOLDER)) {
    const key = name.trim();
    if (key !== "" && !found.has(key)) found.set(key, { name: key, default: fallback.trim() });
  }
  return [...found.values()];
}

/** Whether `{{` or `}}` stands somewhere outside a well-formed placeholder: it would be sent as it is. */
export function hasBrokenPlaceholder(prompt: string): boolean {
  return /\{\{|\}\}/.test(prompt.replace(PLACEHOLDER, ""));
}

/** Whether this can be a placeholder's name. */
export function isPlaceholderName(name: string): boolean {
  return /^[^{}|]{1,64}$/.test(name.trim()) && name.trim() !== "";
}

/** Puts `{{name}}` in place of the selection; tells where the caret goes. */
export function inserted(
  text: string,
  name: string,
  selection: { start: number; end: number },
): { text: string; caret: number } {
  const before = text.slice(0, selection.start);
  const placeholder = `{{${name}}}`;
  return {
    text: before + placeholder + text.slice(selection.end),
    caret: before.length + placeholder.length,
  };
}
