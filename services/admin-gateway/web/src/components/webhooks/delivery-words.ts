/** What became of a delivery, as keys of the texts. */

import type { Delivery } from "@/api/types";

/** Where a delivery is; one that waits is told by whether it was sent before. */
export type DeliveryCondition = "waiting" | "retrying" | "delivered" | "failed";

/** Where a delivery is. */
export function conditionOf({
  state,
  attempts_made,
}: Pick<Delivery, "state" | "attempts_made">): DeliveryCondition {
  if (state !== "pending") return state;
  return attempts_made > 0 ? "retrying" : "waiting";
}

const REASONS = ["gone", "switched_off", "attempts_exhausted", "address_refused", "client_revoked"] as const;

/** Why it was given up; `other` for a reason that came later than this page. */
export function reasonOf(code: string): (typeof REASONS)[number] | "other" {
  return REASONS.find((known) => known === code) ?? "other";
}

const ERRORS = [
  ...(["http_status", "timeout", "connection", "tls"] as const),
  ...(["name_not_found", "address_refused"] as const),
] as const;

/** What went wrong with an attempt: `none` where nothing did, `other` for what came later than this page. */
export function errorOf(code: string | null): (typeof ERRORS)[number] | "none" | "other" {
  if (code === null) return "none";
  return ERRORS.find((known) => known === code) ?? "other";
}
