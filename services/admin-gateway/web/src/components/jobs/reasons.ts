/** Failures of jobs, by their code. */

/** Every failure a job can end with, as docs/http.md lists them. */
export const FAILURES = [
  "timeout",
  "provider_5xx",
  "bad_response",
  "quota",
  "network",
  "content_blocked",
  "no_image",
  "bad_input",
  "auth",
  "config",
  "storage",
  "cancelled",
  "internal",
] as const;

/** A failure this page has words for. */
export type Failure = (typeof FAILURES)[number];

/** Where the remedy of a failure is. */
export type Remedy = "settings" | "slot" | null;

const IN_SETTINGS: ReadonlySet<Failure> = new Set(["auth", "quota", "network"]);
const IN_SLOT: ReadonlySet<Failure> = new Set([
  "config",
  "content_blocked",
  "no_image",
  "bad_response",
  "timeout",
  "bad_input",
]);

function isFailure(reason: string): reason is Failure {
  return FAILURES.some((failure) => failure === reason);
}

/** The dictionary key of a reason; `unknown` for one that came later than this page. */
export function failureKey(reason: string): Failure | "unknown" {
  return isFailure(reason) ? reason : "unknown";
}

/** Which page helps against a failure. */
export function remedyOf(reason: string): Remedy {
  if (!isFailure(reason)) return null;
  if (IN_SETTINGS.has(reason)) return "settings";
  return IN_SLOT.has(reason) ? "slot" : null;
}
