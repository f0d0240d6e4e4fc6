/** What admins did, in words. Actions are `group.verb`; one that came later than this page shows as it is. */

/** The groups of actions a reader may narrow the log to. */
export const GROUPS = [
  "auth",
  "slot",
  "settings",
  "provider-key",
  "template",
  "media",
  "job",
  "gallery",
  "api-key",
  "task",
  "webhook",
] as const;
export type Group = (typeof GROUPS)[number];

/** The group a text names, if any. */
export function groupOf(text: string | null): Group | null {
  return GROUPS.find((group) => group === text) ?? null;
}

/** The rule of the API: actions that begin so. */
export function prefixOf(group: Group): string {
  return `${group}.`;
}

/** The actions there are words for; texts of both languages have each. */
export const ACTIONS = [
  "auth.login",
  "auth.logout",
  "slot.update",
  "slot.restore",
  "slot.test-run",
  "settings.update",
  "provider-key.set",
  "provider-key.delete",
  "template.add",
  "template.delete",
  "media.cleanup",
  "job.rerun",
  "job.cancel",
  "job.retry",
  "gallery.share",
  "api-key.create",
  "api-key.revoke",
  "task.requeue",
  "task.drop",
  "webhook.resend",
] as const;

/** The action a text names, if there are words for it. */
export function knownAction(action: string): (typeof ACTIONS)[number] | null {
  return ACTIONS.find((known) => known === action) ?? null;
}

/** The facts there are words for. */
const FACTS = [
  ...(["fields", "version", "restored", "job_id", "state", "media_object_id"] as const),
  ...(["name", "scopes", "api_key_id", "client_id", "last_four", "queue", "kind"] as const),
] as const;

/** The fact a text names, if there are words for it. */
export function knownFact(name: string): (typeof FACTS)[number] | null {
  return FACTS.find((known) => known === name) ?? null;
}

/** Where what was acted on has a page, its address. */
export function addressOfTarget(action: string, target: string): string | null {
  if (/^slot-0(0[1-9]|1[0-5])$/.test(target)) return `/slots/${target}`;
  if (/^msg_[0-9a-f]{32}$/.test(target)) return `/webhooks?delivery=${target}`;
  // Media objects have such ids, too.
  return action.startsWith("job.") && /^[0-9a-f]{32}$/.test(target) ? `/jobs/${target}` : null;
}
