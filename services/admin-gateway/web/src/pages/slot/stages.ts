/** One piece of a test run's time. */
export interface StagePiece {
  stage: string;
  milliseconds: number;
  /** Of the whole, in percent. */
  percent: number;
}

const SHORTEST_SHOWN_MS = 1;
/** What the gateway does before a photo is a job; to people it is all the same. */
const RECEIVING = new Set(["admit", "receive", "open"]);

/** The stages as pieces of the whole run, in order; what no stage tells of is `other`. */
export function stagePieces(
  stages: readonly { stage: string; milliseconds: number }[],
  totalMilliseconds: number,
): StagePiece[] {
  const grouped = new Map<string, number>();
  for (const { stage, milliseconds } of stages) {
    const name = RECEIVING.has(stage) ? "upload" : stage;
    grouped.set(name, (grouped.get(name) ?? 0) + milliseconds);
  }
  const told = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  // Stages are measured by other clocks than the whole.
  const total = Math.max(totalMilliseconds, told);
  return [...grouped, ["other", total - told] as const]
    .filter(([, milliseconds]) => milliseconds >= SHORTEST_SHOWN_MS)
    .map(([stage, milliseconds]) => ({ stage, milliseconds, percent: (milliseconds / total) * 100 }));
}
