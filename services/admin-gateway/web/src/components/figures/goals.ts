/** The platform's promises, and whether figures keep them. */

/** At least this share of photos is answered with the provider's picture within the slot's time. */
export const SUCCESS_GOAL = 0.95;

/** At most this share of photos is answered 504. */
export const TIMEOUT_GOAL = 0.05;

/** Whether a figure keeps its goal; `unknown` where nothing was measured. */
export type Verdict = "met" | "missed" | "unknown";

/** Judges a success rate (0 to 1). */
export function judgeSuccess(rate: number | null | undefined): Verdict {
  if (rate === null || rate === undefined) return "unknown";
  return rate >= SUCCESS_GOAL ? "met" : "missed";
}

/** Judges a rate of timeouts (0 to 1). */
export function judgeTimeouts(rate: number | null | undefined): Verdict {
  if (rate === null || rate === undefined) return "unknown";
  return rate <= TIMEOUT_GOAL ? "met" : "missed";
}
