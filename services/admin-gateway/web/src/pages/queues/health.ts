/** What a queue's figures mean for whoever looks at them. */

import type { Queue, Worker } from "@/api/types";

/** Waiting longer than this is worth a look. */
const BEHIND_MS = 5 * 60_000;

/** How a queue is, the worst first. */
export type QueueHealth = "unattended" | "behind" | "deadLetters" | "working" | "asleep" | "idle";

/** The worst that is true of a queue at `now` (milliseconds since 1970). */
export function healthOf(queue: Queue, now: number): QueueHealth {
  if (queue.queued > 0 && queue.workers === 0) return "unattended";
  if (queue.oldest_at && now - Date.parse(queue.oldest_at) > BEHIND_MS) return "behind";
  if (queue.dead > 0) return "deadLetters";
  if (queue.running > 0) return "working";
  // Where workers come with the work, none is no fault.
  return queue.workers === 0 ? "asleep" : "idle";
}

/** How much of the fleet's limit is in use, 0 to 100. */
export function usedShare({ running, limit }: Pick<Queue, "running" | "limit">): number {
  return limit === 0 ? 0 : Math.min(100, Math.round((100 * running) / limit));
}

/** A worker's id with as much of its random end as tells it from others; what stands before that says whose it is. */
export function shortIdOf(id: string): string {
  return id.replace(/[0-9a-f]{9,}$/, (end) => end.slice(0, 8));
}

const GUARDS = ["memory", "cpu", "free_memory", "draining"] as const;

/** Whether a worker takes tasks, and if not, why; `guarded`: for a reason this page does not know. */
export type WorkerState = (typeof GUARDS)[number] | "guarded" | "full" | "ready";

/** A guard says more than that all slots are taken. */
export function stateOfWorker({ guard, running, slots }: Worker): WorkerState {
  if (guard) return GUARDS.find((known) => known === guard) ?? "guarded";
  return running >= slots ? "full" : "ready";
}
