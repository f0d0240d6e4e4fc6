/** Which jobs are wanted, kept in the page's address so that a view can be shared and reloaded. */

import type { JobStatus } from "@/api/types";
import { JOB_SOURCES, JOB_STATUSES, type JobSource } from "@/components/jobs/model";

/** The jobs wanted; `null` means all. */
export interface JobFilters {
  readonly slot: string | null;
  readonly status: JobStatus | null;
  readonly source: JobSource | null;
}

const SLOT = /^slot-0(0[1-9]|1[0-5])$/;

/** Reads the filters of an address; what makes no sense there counts as absent. */
export function filtersOf(search: URLSearchParams): JobFilters {
  const slot = search.get("slot");
  const status = search.get("status");
  const source = search.get("source");
  return {
    slot: slot !== null && SLOT.test(slot) ? slot : null,
    status: JOB_STATUSES.find((known) => known === status) ?? null,
    source: JOB_SOURCES.find((known) => known === source) ?? null,
  };
}

/** Writes filters into an address, leaving out what is not narrowed. */
export function searchOf(filters: JobFilters): URLSearchParams {
  const search = new URLSearchParams();
  if (filters.slot !== null) search.set("slot", filters.slot);
  if (filters.status !== null) search.set("status", filters.status);
  if (filters.source !== null) search.set("source", filters.source);
  return search;
}

/** Whether any filter narrows the list. */
export function isNarrowed(filters: JobFilters): boolean {
  return filters.slot !== null || filters.status !== null || filters.source !== null;
}

/** Whether a job is one of those wanted. */
export function matches(
  filters: JobFilters,
  job: { readonly slot_id: string | null; readonly status: JobStatus; readonly source: JobSource },
): boolean {
  return (
    (filters.slot === null || job.slot_id === filters.slot) &&
    (filters.status === null || job.status === filters.status) &&
    (filters.source === null || job.source === filters.source)
  );
}
