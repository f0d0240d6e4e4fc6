/** Figures over time, as charts and their tables show them. */

import { formatClock } from "@/components/figures/format";

/** One step of the series, as in the API. */
export interface Step {
  readonly starts_at: string;
  readonly jobs: number;
  readonly success: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

/** One step, as a chart shows it: durations in seconds, `null` where no photo was done. */
export interface ChartPoint {
  readonly time: string;
  readonly success: number;
  readonly failures: number;
  readonly timeouts: number;
  readonly p50: number | null;
  readonly p95: number | null;
}

/** The points of a chart. A window longer than a day names the day at each step. */
export function chartPoints(
  steps: readonly Step[],
  windowMinutes: number,
  locale: string,
): readonly ChartPoint[] {
  return steps.map((step) => ({
    time: formatClock(step.starts_at, locale, windowMinutes > 1440),
    success: step.success,
    failures: step.failures,
    timeouts: step.timeouts,
    p50: inSeconds(step.p50_ms),
    p95: inSeconds(step.p95_ms),
  }));
}

/** Whether any job ended within the steps. */
export function hasJobs(steps: readonly Step[]): boolean {
  return steps.some((step) => step.jobs > 0);
}

function inSeconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.round(milliseconds / 10) / 100;
}
