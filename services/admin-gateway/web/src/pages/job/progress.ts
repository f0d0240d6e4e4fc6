/** How far an asynchronous job is, for people. */

import type { JobDetails } from "@/api/types";

const STAGES = {
  "fetching the photo": "fetching",
  "asking the provider": "asking",
  "storing the picture": "storing",
} as const;

/** What a job is at: the key of a text, or what a worker says in words of its own. */
export type Stage = { readonly key: (typeof STAGES)[keyof typeof STAGES] } | { readonly text: string };

/** The stage a worker tells; null: none so far. */
export function stageOf(told: string): Stage | null {
  if (told === "") return null;
  for (const [text, key] of Object.entries(STAGES)) if (told === text) return { key };
  return { text: told };
}

/** When a job is expected to begin; `soon`: the instant is here, or has passed. Null: nobody knows. */
export function startOf(job: Pick<JobDetails, "expected_start">, now: number): string | "soon" | null {
  if (job.expected_start === null) return null;
  return Date.parse(job.expected_start) <= now ? "soon" : job.expected_start;
}
