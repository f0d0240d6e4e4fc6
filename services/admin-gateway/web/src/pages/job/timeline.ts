/** Where a job's time went, as pieces of one bar. */

/** What the bar needs to know of a job; instants as in the API. */
export interface TimedJob {
  readonly received_at: string;
  readonly created_at: string | null;
  readonly provider_started_at: string | null;
  readonly finished_at: string | null;
  readonly deadline: string | null;
  readonly stages: readonly { readonly stage: string; readonly milliseconds: number }[];
}

/** The stages of a provider's turn, in their order; more may come. */
const STAGES = ["fetch", "prepare", "provider", "check", "store"];

/** One piece: `upload`, `queue`, a stage, `other` (between stages) or `running` (not told yet). */
export interface Piece {
  readonly kind: string;
  readonly milliseconds: number;
  /** Share of the whole bar, 0 to 1. */
  readonly share: number;
}

/** A job's time from its request to its end, or to now. */
export interface Timeline {
  readonly pieces: readonly Piece[];
  readonly totalMs: number;
  /** The time the camera was willing to wait; `null` where nobody knows. */
  readonly limitMs: number | null;
  readonly live: boolean;
}

function at(instant: string): number {
  return Date.parse(instant);
}

/**
 * Lays a job's time out in pieces that fill the bar exactly.
 *
 * Stages are measured by another process than the instants, so they may add up to a little more than the turn took:
 * then they are scaled down to it, and what is left of the turn is `other`.
 */
export function timelineOf(job: TimedJob, now: number): Timeline {
  const received = at(job.received_at);
  const end = Math.max(received, job.finished_at === null ? now : at(job.finished_at));
  const admitted = job.created_at === null ? received : clamp(at(job.created_at), received, end);
  const started = job.provider_started_at === null ? end : clamp(at(job.provider_started_at), admitted, end);
  const pieces: { kind: string; milliseconds: number }[] = [
    { kind: "upload", milliseconds: admitted - received },
    { kind: "queue", milliseconds: started - admitted },
  ];
  const turn = end - started;
  const stages = [...job.stages].sort((one, other) => orderOf(one.stage) - orderOf(other.stage));
  const told = stages.reduce((sum, stage) => sum + stage.milliseconds, 0);
  const scale = told > turn && told > 0 ? turn / told : 1;
  for (const stage of stages) pieces.push({ kind: stage.stage, milliseconds: stage.milliseconds * scale });
  const rest = Math.max(0, turn - told);
  if (job.finished_at === null) {
    if (job.provider_started_at !== null) pieces.push({ kind: "running", milliseconds: rest });
  } else {
    pieces.push({ kind: "other", milliseconds: rest });
  }
  const totalMs = end - received;
  return {
    pieces: pieces
      .filter((piece) => piece.milliseconds > 0)
      .map((piece) => ({ ...piece, share: totalMs === 0 ? 0 : piece.milliseconds / totalMs })),
    totalMs,
    limitMs: job.deadline === null ? null : Math.max(0, at(job.deadline) - received),
    live: job.finished_at === null,
  };
}

function orderOf(stage: string): number {
  const place = STAGES.indexOf(stage);
  return place === -1 ? STAGES.length : place;
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
