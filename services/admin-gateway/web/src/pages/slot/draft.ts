import { isJsonObject, type Json, type JsonObject, sameJson } from "@/components/schema-form/json";
import { carriedOver } from "@/components/schema-form/values";

/** A template image of a slot. */
export interface TemplateRef {
  media_object_id: string;
  role: string;
  preview_url: string;
}

/** What admins can change of a slot, by the API's names. */
export interface SlotValues {
  display_name: string;
  is_active: boolean;
  provider: string;
  operation: string;
  settings: JsonObject;
  template_media: TemplateRef[];
  size_limit_mb: number;
  /** Null: the platform's setting; so for the next ones. */
  sync_response_seconds: number | null;
  running_limit: number | null;
  queue_length: number | null;
  dedupe: "on" | "off" | null;
  on_failure: "error" | "original";
  late_results: "discard" | "keep";
  output_format: "as_is" | "jpeg" | "png" | "webp";
  response_mode: "image" | "multipart";
}

export type ValueName = keyof SlotValues;

/** What an admin is about to save. `ingest_password`: null leaves it, "" removes it. */
export interface Draft extends SlotValues {
  ingest_password: string | null;
}

/** What is asked of the provider: these belong together, as the settings mean nothing without the operation. */
const ORDER: readonly ValueName[] = ["provider", "operation", "settings", "template_media"];
const OTHERS = [
  "display_name",
  "is_active",
  "size_limit_mb",
  "sync_response_seconds",
  "running_limit",
  "queue_length",
  "dedupe",
  "on_failure",
  "late_results",
  "output_format",
  "response_mode",
] as const satisfies readonly ValueName[];

/** One changed value: its name in the API (`settings.prompt` for a setting), before and after. */
export interface Change {
  path: string;
  before: Json | undefined;
  after: Json | undefined;
}

export function draftOf(values: SlotValues): Draft {
  return { ...values, ingest_password: null };
}

/** What differs between two sets of values, settings one by one where they are of the same operation. */
export function changesBetween(before: SlotValues, after: SlotValues): Change[] {
  const changes: Change[] = [];
  for (const name of ["display_name", "is_active", "provider", "operation"] as const) {
    if (before[name] !== after[name]) changes.push({ path: name, before: before[name], after: after[name] });
  }
  changes.push(...settingsChanges(before, after));
  if (!sameTemplates(before, after)) {
    changes.push({
      path: "template_media",
      before: before.template_media.length,
      after: after.template_media.length,
    });
  }
  for (const name of OTHERS) {
    if (name === "display_name" || name === "is_active" || before[name] === after[name]) continue;
    changes.push({ path: name, before: before[name], after: after[name] });
  }
  return changes;
}

/** What a draft changes, the password too; its value is in no list of changes. */
export function changesOf(base: SlotValues, draft: Draft): Change[] {
  const changes = changesBetween(base, draft);
  if (draft.ingest_password !== null) {
    changes.push({ path: "ingest_password", before: undefined, after: undefined });
  }
  return changes;
}

/** The body of a PUT: what changed, and nothing else. */
export function changedValues(base: SlotValues, draft: Draft): Partial<Draft> {
  const names = [...ORDER, ...OTHERS].filter((name) => !sameValue(name, base, draft));
  const body: Partial<Draft> = Object.fromEntries(names.map((name) => [name, draft[name]]));
  if (draft.ingest_password !== null) body.ingest_password = draft.ingest_password;
  return body;
}

/** Puts what `mine` changes of `base` on top of `theirs`. Settings are merged one by one while the operation is the same. */
export function onTopOf(theirs: SlotValues, base: SlotValues, mine: Draft): Draft {
  const merged: Draft = {
    ...theirs,
    ...Object.fromEntries(
      OTHERS.filter((name) => !sameValue(name, base, mine)).map((name) => [name, mine[name]]),
    ),
    ingest_password: mine.ingest_password,
  };
  if (ORDER.every((name) => sameValue(name, base, mine))) return merged;
  if (!sameOperation(theirs, base) || !sameOperation(mine, base)) {
    return { ...merged, ...pick(mine, ORDER) };
  }
  const settings = { ...theirs.settings };
  for (const { path } of settingsChanges(base, mine)) {
    const name = path.slice("settings.".length);
    const value = mine.settings[name];
    if (value === undefined) delete settings[name];
    else settings[name] = value;
  }
  const templates = sameTemplates(base, mine) ? theirs : mine;
  return { ...merged, settings, template_media: templates.template_media };
}

/** The values that both changed since `base`, and not to the same. */
export function bothChanged(base: SlotValues, mine: SlotValues, theirs: SlotValues): Set<string> {
  const different = new Set(changesBetween(mine, theirs).map((change) => change.path));
  const theirPaths = new Set(changesBetween(base, theirs).map((change) => change.path));
  return new Set(
    changesBetween(base, mine)
      .map((change) => change.path)
      .filter((path) => theirPaths.has(path) && different.has(path)),
  );
}

/** The draft asking for another operation: settings and templates that mean the same there are kept. */
export function withOperation(
  draft: Draft,
  provider: string,
  operation: { id: string; settings_schema: JsonObject; needs: { role: string; max_count: number }[] },
): Draft {
  const used = new Map<string, number>();
  const template_media = draft.template_media.filter(({ role }) => {
    const need = operation.needs.find((each) => each.role === role);
    const count = (used.get(role) ?? 0) + 1;
    used.set(role, count);
    return need !== undefined && (need.max_count === 0 || count <= need.max_count);
  });
  const settings = carriedOver(draft.settings, operation.settings_schema);
  return { ...draft, provider, operation: operation.id, settings, template_media };
}

function settingsChanges(before: SlotValues, after: SlotValues): Change[] {
  if (!sameOperation(before, after)) return [];
  const names = new Set([...Object.keys(before.settings), ...Object.keys(after.settings)]);
  return [...names]
    .filter((name) => !sameJson(before.settings[name], after.settings[name]))
    .map((name) => ({
      path: `settings.${name}`,
      before: before.settings[name],
      after: after.settings[name],
    }));
}

function sameOperation(one: SlotValues, other: SlotValues): boolean {
  return one.provider === other.provider && one.operation === other.operation;
}

function sameTemplates(one: SlotValues, other: SlotValues): boolean {
  const keys = (values: SlotValues) =>
    values.template_media.map(({ role, media_object_id }) => `${role}/${media_object_id}`);
  return sameJson(keys(one), keys(other));
}

function sameValue(name: ValueName, one: SlotValues, other: SlotValues): boolean {
  if (name === "template_media") return sameTemplates(one, other);
  if (name === "settings") return sameJson(one.settings, other.settings);
  return one[name] === other[name];
}

function pick<Name extends ValueName>(values: SlotValues, names: readonly Name[]): Pick<SlotValues, Name> {
  // The entries are exactly those of `names`, which the type of fromEntries cannot tell.
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Pick<SlotValues, Name>;
}

/** Settings as the API has them: the page's types say more than OpenAPI can of an open object. */
export function jsonObject(value: unknown): JsonObject {
  // It came through JSON.parse, so it holds nothing else.
  const json = value as Json;
  return isJsonObject(json) ? json : {};
}
