/** Which entries are wanted, kept in the page's address. */

import { type Group, groupOf } from "./words";

export interface AuditFilters {
  readonly actor: string;
  readonly group: Group | null;
  readonly target: string;
}

/** Bounds of the API. */
export const TEXT_MAX = 64;

/** Reads the filters of an address; what makes no sense there counts as absent. */
export function filtersOf(search: URLSearchParams): AuditFilters {
  return {
    actor: text(search.get("actor")),
    group: groupOf(search.get("action")),
    target: text(search.get("target")),
  };
}

/** Writes filters into an address, leaving out what is not narrowed. */
export function searchOf(filters: AuditFilters): URLSearchParams {
  const search = new URLSearchParams();
  if (filters.actor) search.set("actor", filters.actor);
  if (filters.group) search.set("action", filters.group);
  if (filters.target) search.set("target", filters.target);
  return search;
}

/** Whether any filter narrows the log. */
export function isNarrowed(filters: AuditFilters): boolean {
  return filters.actor !== "" || filters.group !== null || filters.target !== "";
}

function text(value: string | null): string {
  return (value ?? "").trim().slice(0, TEXT_MAX);
}
