/** Which deliveries are wanted, and which one is looked at, kept in the page's address. */

import type { DeliveryState } from "@/api/types";

/** The deliveries wanted; `null` means all. */
export interface DeliveryFilters {
  readonly client: string | null;
  readonly state: DeliveryState | null;
  readonly job: string | null;
}

/** Where a delivery can be, in the order they are offered. */
export const DELIVERY_STATES = ["pending", "delivered", "failed"] as const satisfies readonly DeliveryState[];

export const NO_FILTERS: DeliveryFilters = { client: null, state: null, job: null };

const CLIENT = /^[a-z0-9_-]{1,64}$/;
const JOB = /^[0-9a-f]{32}$/;
const DELIVERY = /^msg_[0-9a-f]{32}$/;

/** Whether a text can be a job's id. */
export function isJobId(text: string): boolean {
  return JOB.test(text);
}

/** Reads the filters of an address; what makes no sense there counts as absent. */
export function filtersOf(search: URLSearchParams): DeliveryFilters {
  return {
    client: fitting(CLIENT, search.get("client")),
    state: DELIVERY_STATES.find((known) => known === search.get("state")) ?? null,
    job: fitting(JOB, search.get("job")),
  };
}

/** The delivery an address opens. */
export function openedIn(search: URLSearchParams): string | null {
  return fitting(DELIVERY, search.get("delivery"));
}

/** Writes filters, and the delivery to be opened, into an address, leaving out what is not narrowed. */
export function searchOf(filters: DeliveryFilters, opened: string | null = null): URLSearchParams {
  const search = new URLSearchParams();
  if (filters.client !== null) search.set("client", filters.client);
  if (filters.state !== null) search.set("state", filters.state);
  if (filters.job !== null) search.set("job", filters.job);
  if (opened !== null) search.set("delivery", opened);
  return search;
}

/** Whether any filter narrows the list. */
export function isNarrowed(filters: DeliveryFilters): boolean {
  return filters.client !== null || filters.state !== null || filters.job !== null;
}

function fitting(rule: RegExp, text: string | null): string | null {
  return text !== null && rule.test(text) ? text : null;
}
