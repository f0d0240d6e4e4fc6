/** Jobs that live events tell of, put into the pages already loaded without disturbing whoever reads them. */

import type { JobStatus } from "@/api/types";
import type { JobSource } from "@/components/jobs/model";
import { type JobFilters, matches } from "./filters";

/** What has to be known of a job. */
export interface ListedJob {
  readonly job_id: string;
  readonly slot_id: string | null;
  readonly status: JobStatus;
  readonly source: JobSource;
  readonly received_at: string;
}

/** One page of the list, newest first. */
export interface JobsPage<T extends ListedJob> {
  readonly jobs: readonly T[];
  readonly next_cursor?: string | null;
}

/** A job told of. */
interface Told<T> {
  readonly job: T;
  /** Whether it fitted the filters at some time: rows do not vanish because their job went on. */
  readonly fits: boolean;
  /** Whether it waits until the reader asks for it. */
  readonly held: boolean;
}

/** The latest of each job told of, oldest telling first. */
export type LiveJobs<T extends ListedJob> = ReadonlyMap<string, Told<T>>;

/** Beyond it the oldest tellings are forgotten; the pages have them by then, or never will be scrolled to. */
const MOST_TOLD = 500;

const ORDER: Record<JobStatus, number> = {
  pending: 0,
  running: 1,
  done: 2,
  failed: 2,
  timeout: 2,
  cancelled: 2,
};

/** The later of two tellings of one job: events may overtake answers, and a final status never goes back. */
function later<T extends ListedJob>(known: T, told: T): T {
  return ORDER[told.status] >= ORDER[known.status] ? told : known;
}

/** Takes an event in. With `hold`, a job that is new is kept back until `release`. */
export function tell<T extends ListedJob>(
  live: LiveJobs<T>,
  job: T,
  filters: JobFilters,
  hold: boolean,
): LiveJobs<T> {
  const before = live.get(job.job_id);
  const now = before ? later(before.job, job) : job;
  const fits = (before?.fits ?? false) || matches(filters, now);
  // A job that came before it fitted is as new to the reader as any other.
  const held = before?.fits ? before.held : hold;
  const next = new Map(live);
  next.delete(job.job_id);
  next.set(job.job_id, { job: now, fits, held });
  for (const oldest of next.keys()) {
    if (next.size <= MOST_TOLD) break;
    next.delete(oldest);
  }
  return next;
}

/** Lets the jobs kept back in. */
export function release<T extends ListedJob>(live: LiveJobs<T>): LiveJobs<T> {
  return new Map([...live].map(([id, told]) => [id, { ...told, held: false }]));
}

/** What is to be shown: the rows, and how many new ones are kept back. */
export interface JobsView<T> {
  readonly rows: readonly T[];
  readonly held: number;
}

/**
 * The rows of the pages with what was told since: known jobs changed where they stand, new ones among them by the time
 * they came. What is older than the end of the pages loaded belongs to one that is not, and is left out.
 */
export function viewOf<T extends ListedJob>(pages: readonly JobsPage<T>[], live: LiveJobs<T>): JobsView<T> {
  const known = new Map<string, T>();
  // A job may be on two pages where new ones came between their loading.
  for (const page of pages) for (const job of page.jobs) known.set(job.job_id, job);
  const last = pages.at(-1);
  const end = last?.next_cursor ? last.jobs.at(-1)?.received_at : undefined;
  const rows = [...known.values()].map((job) => {
    const told = live.get(job.job_id);
    return told ? later(job, told.job) : job;
  });
  let held = 0;
  for (const { job, fits, held: isHeld } of live.values()) {
    if (!fits || known.has(job.job_id) || (end !== undefined && job.received_at < end)) continue;
    if (isHeld) held += 1;
    else rows.push(job);
  }
  return { rows: rows.sort(newestFirst), held };
}

function newestFirst(one: ListedJob, other: ListedJob): number {
  if (one.received_at !== other.received_at) return one.received_at > other.received_at ? -1 : 1;
  return one.job_id > other.job_id ? -1 : 1;
}
