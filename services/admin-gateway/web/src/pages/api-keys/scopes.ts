/** What API keys may be used for. */

import type { ApiKey } from "@/api/types";

export type Scope = ApiKey["scopes"][number];

/** All scopes, in the order they are offered. */
export const SCOPES = ["jobs:write", "jobs:read", "webhooks:manage"] as const satisfies readonly Scope[];

/** What most programs want. */
export const USUAL_SCOPES: readonly Scope[] = ["jobs:write", "jobs:read"];

/** The texts' name of each: `:` has a meaning of its own there. */
export const SCOPE_TEXTS = {
  "jobs:write": "jobsWrite",
  "jobs:read": "jobsRead",
  "webhooks:manage": "webhooks",
} as const satisfies Record<Scope, string>;

/** Those of `values` that are scopes, in the order they are offered. */
export function scopesOf(values: readonly string[]): Scope[] {
  return SCOPES.filter((scope) => values.includes(scope));
}

/** How long a name may be: a bound of the API. */
export const NAME_MAX = 80;

export interface NewKeyDraft {
  readonly name: string;
  readonly scopes: readonly Scope[];
}

/** What is wrong with a draft, by field; empty: nothing. */
export function problemsOf({ name, scopes }: NewKeyDraft): Partial<Record<keyof NewKeyDraft, "wanted">> {
  return {
    ...(name.trim() === "" ? { name: "wanted" } : {}),
    ...(scopes.length === 0 ? { scopes: "wanted" } : {}),
  };
}
