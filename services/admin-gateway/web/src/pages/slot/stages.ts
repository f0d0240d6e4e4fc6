/** One piece of a test run's time. */
export interface StagePiece {
  stage: string;
  milliseconds: number;
  /** Of the whole, in percent. */
  percent: number;
}

const SHORTEST_SHOWN_MS = 1;

/** The stages as pieces of the whole run, in order; what no stage tells of is `other`. */
export function stagePieces(
  stages: readonly { stage: string; milliseconds: number }[],
  totalMilliseconds: number,
): StagePiece[] {
  const told = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  // Stages are measured by other clocks than the whole.
  const total = Math.max(totalMilliseconds, told);
  const all = [...stages, { stage: "other", milliseconds: total - told }];
  return all
    .filter(({ milliseconds }) => milliseconds >= SHORTEST_SHOWN_MS)
    .map(({ stage, milliseconds }) => ({ stage, milliseconds, percent: (milliseconds / total) * 100 }));
}
