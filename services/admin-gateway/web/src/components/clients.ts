/** The programs behind API keys, by name. */

import type { ApiKey } from "@/api/types";

/** A client, called as its key is. */
export interface NamedClient {
  readonly id: string;
  readonly name: string;
}

/**
 * The clients of keys (newest first), in the order of their names.
 *
 * Each is called as its newest valid key, or the newest; of those with one name each has the beginning of its id.
 */
export function clientsOf(apiKeys: readonly ApiKey[]): NamedClient[] {
  const named = new Map<string, ApiKey>();
  for (const key of apiKeys) {
    const before = named.get(key.client_id);
    if (!before || (before.revoked_at !== null && key.revoked_at === null)) named.set(key.client_id, key);
  }
  const all = [...named.values()];
  const shared = (name: string) => all.filter((key) => key.name === name).length > 1;
  return all
    .map(({ client_id: id, name }) => ({ id, name: shared(name) ? `${name} (${id.slice(0, 8)})` : name }))
    .sort((one, other) => one.name.localeCompare(other.name));
}
