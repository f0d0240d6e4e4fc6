/** Names of tasks and of what went wrong with them, as keys of the texts. */

import { type Failure, failureKey } from "@/components/jobs/reasons";

/** What the engine itself says of a task; the rest are failures of photos. */
const ENGINE_REASONS = ["deadline", "timeout", "worker_lost", "step_failed", "internal_error"] as const;
type EngineReason = (typeof ENGINE_REASONS)[number];

export type TaskReason =
  | { readonly by: "engine"; readonly key: EngineReason }
  | { readonly by: "photo"; readonly key: Failure }
  | { readonly by: "other" };

/** Whose word a reason is. One that came later than this page is told by its message alone. */
export function reasonOf(code: string): TaskReason {
  const engine = ENGINE_REASONS.find((known) => known === code);
  if (engine) return { by: "engine", key: engine };
  const failure = failureKey(code);
  return failure === "unknown" ? { by: "other" } : { by: "photo", key: failure };
}

const KINDS = { "photo.process": "photo", "webhook.deliver": "webhook" } as const;

/** The text of a kind; a provider's own (`photo.process.gemini`) is told like its family. */
export function kindOf(kind: string): (typeof KINDS)[keyof typeof KINDS] | null {
  for (const [family, key] of Object.entries(KINDS)) {
    if (kind === family || kind.startsWith(`${family}.`)) return key;
  }
  return null;
}
