/** The settings form: its values, what is wrong with them, and what of them is to be sent. */

/** What a wrong `hash` field leads to. */
export const HASH_POLICIES = ["warn", "enforce", "ignore"] as const;
export type HashPolicy = (typeof HASH_POLICIES)[number];

/** The part of the settings the form edits; passwords and keys are changed on their own. */
export interface SettingsValues {
  readonly sync_response_seconds: number;
  readonly result_ttl_hours: number;
  readonly hash_policy: HashPolicy;
  readonly dedupe: "on" | "off";
  readonly limits: {
    readonly slot_running: number;
    readonly slot_queue: number;
    readonly provider_running: Readonly<Record<string, number>>;
  };
}

/** As typed: an emptied number field is an empty string. */
export interface SettingsDraft {
  sync_response_seconds: number;
  result_ttl_hours: number | string;
  hash_policy: HashPolicy;
  dedupe: boolean;
  slot_running: number | string;
  slot_queue: number | string;
  provider_running: Record<string, number | string>;
}

/** Inclusive bounds of what may be typed. */
export const BOUNDS = {
  sync_response_seconds: [10, 60],
  result_ttl_hours: [24, 168],
  slot_running: [1, 50],
  slot_queue: [0, 100],
  provider_running: [1, 500],
} as const;

/** What a provider that has no limit of its own may run at once. */
export const DEFAULT_PROVIDER_RUNNING = 30;

/** The form's values for settings; every provider known has a field. */
export function draftOf(settings: SettingsValues, providers: readonly string[]): SettingsDraft {
  const limits = settings.limits;
  const names = [...new Set([...providers, ...Object.keys(limits.provider_running)])];
  return {
    sync_response_seconds: settings.sync_response_seconds,
    result_ttl_hours: settings.result_ttl_hours,
    hash_policy: settings.hash_policy,
    dedupe: settings.dedupe === "on",
    slot_running: limits.slot_running,
    slot_queue: limits.slot_queue,
    provider_running: Object.fromEntries(
      names.map((name) => [name, limits.provider_running[name] ?? DEFAULT_PROVIDER_RUNNING]),
    ),
  };
}

/** A field of the form, by the path the API names it by in its errors. */
export type DraftErrors = Record<string, { readonly low: number; readonly high: number }>;

/** What is out of bounds, by form path. */
export function checkDraft(draft: SettingsDraft): DraftErrors {
  const errors: DraftErrors = {};
  const check = (path: string, value: number | string, [low, high]: readonly [number, number]) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
      errors[path] = { low, high };
    }
  };
  check("sync_response_seconds", draft.sync_response_seconds, BOUNDS.sync_response_seconds);
  check("result_ttl_hours", draft.result_ttl_hours, BOUNDS.result_ttl_hours);
  check("slot_running", draft.slot_running, BOUNDS.slot_running);
  check("slot_queue", draft.slot_queue, BOUNDS.slot_queue);
  for (const [name, value] of Object.entries(draft.provider_running)) {
    check(`provider_running.${name}`, value, BOUNDS.provider_running);
  }
  return errors;
}

/** What is sent: only what differs from the settings the form was filled from. */
export interface SettingsPatch {
  sync_response_seconds?: number;
  result_ttl_hours?: number;
  hash_policy?: HashPolicy;
  dedupe?: "on" | "off";
  limits?: { slot_running?: number; slot_queue?: number; provider_running?: Record<string, number> };
}

/** The changes between the settings and a checked draft; empty where there are none. */
export function patchOf(base: SettingsDraft, draft: SettingsDraft): SettingsPatch {
  const patch: SettingsPatch = {};
  if (draft.sync_response_seconds !== base.sync_response_seconds) {
    patch.sync_response_seconds = draft.sync_response_seconds;
  }
  if (draft.result_ttl_hours !== base.result_ttl_hours) {
    patch.result_ttl_hours = Number(draft.result_ttl_hours);
  }
  if (draft.hash_policy !== base.hash_policy) patch.hash_policy = draft.hash_policy;
  if (draft.dedupe !== base.dedupe) patch.dedupe = draft.dedupe ? "on" : "off";
  const limits: NonNullable<SettingsPatch["limits"]> = {};
  if (draft.slot_running !== base.slot_running) limits.slot_running = Number(draft.slot_running);
  if (draft.slot_queue !== base.slot_queue) limits.slot_queue = Number(draft.slot_queue);
  const providers = Object.entries(draft.provider_running).filter(
    ([name, value]) => value !== base.provider_running[name],
  );
  if (providers.length > 0) {
    limits.provider_running = Object.fromEntries(providers.map(([name, value]) => [name, Number(value)]));
  }
  if (Object.keys(limits).length > 0) patch.limits = limits;
  return patch;
}

/** Whether there is anything to send. */
export function isChanged(base: SettingsDraft, draft: SettingsDraft): boolean {
  return Object.keys(patchOf(base, draft)).length > 0;
}

/**
 * Brings a form up to date with settings somebody else saved meanwhile: fields that were not touched take the new
 * values, touched ones keep what was typed.
 */
export function rebase(base: SettingsDraft, draft: SettingsDraft, fresh: SettingsDraft): SettingsDraft {
  const pick = <T>(typed: T, before: T, now: T): T => (typed === before ? now : typed);
  const names = [
    ...new Set([...Object.keys(fresh.provider_running), ...Object.keys(draft.provider_running)]),
  ];
  return {
    sync_response_seconds: pick(
      draft.sync_response_seconds,
      base.sync_response_seconds,
      fresh.sync_response_seconds,
    ),
    result_ttl_hours: pick(draft.result_ttl_hours, base.result_ttl_hours, fresh.result_ttl_hours),
    hash_policy: pick(draft.hash_policy, base.hash_policy, fresh.hash_policy),
    dedupe: pick(draft.dedupe, base.dedupe, fresh.dedupe),
    slot_running: pick(draft.slot_running, base.slot_running, fresh.slot_running),
    slot_queue: pick(draft.slot_queue, base.slot_queue, fresh.slot_queue),
    provider_running: Object.fromEntries(
      names.map((name) => [
        name,
        pick(draft.provider_running[name], base.provider_running[name], fresh.provider_running[name]) ??
          DEFAULT_PROVIDER_RUNNING,
      ]),
    ),
  };
}

/** The form's path of a field the server names: `limits.slot_running` is `slot_running` here. */
export function formPath(field: string): string {
  return field.replace(/^body\./, "").replace(/^limits\./, "");
}
