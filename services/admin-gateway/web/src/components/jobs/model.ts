/** What jobs may be, for filters and texts. */

import type { JobRow, JobStatus } from "@/api/types";

export type JobSource = JobRow["source"];

/** Where a job can be. */
export const JOB_STATUSES = [
  "pending",
  "running",
  "done",
  "failed",
  "timeout",
  "cancelled",
] as const satisfies readonly JobStatus[];

/** Who can open a job. */
export const JOB_SOURCES = ["ingest", "ui_test", "api"] as const satisfies readonly JobSource[];

/** Whether a job's status will not change any more. */
export function isFinal(status: JobStatus): boolean {
  return status !== "pending" && status !== "running";
}
