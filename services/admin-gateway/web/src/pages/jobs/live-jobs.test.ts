import { describe, expect, it } from "vitest";
import type { JobStatus } from "@/api/types";
import type { JobFilters } from "./filters";
import { type JobsPage, type ListedJob, type LiveJobs, release, tell, viewOf } from "./live-jobs";

const ALL: JobFilters = { slot: null, status: null, source: null };
const NOTHING: LiveJobs<ListedJob> = new Map();

function job(id: string, second: number, status: JobStatus = "done", slot = "slot-001"): ListedJob {
  const at = `2026-03-01T10:00:${String(second).padStart(2, "0")}.000Z`;
  return { job_id: id, slot_id: slot, status, source: "ingest", received_at: at };
}

/** Pages, of which the last is not the end where `more`. */
function pages(jobs: readonly (readonly ListedJob[])[], more = false): readonly JobsPage<ListedJob>[] {
  return jobs.map((page, index) => ({
    jobs: page,
    next_cursor: index < jobs.length - 1 || more ? "more" : null,
  }));
}

function told(jobs: readonly ListedJob[], { filters = ALL, hold = false, before = NOTHING } = {}) {
  return jobs.reduce((live, each) => tell(live, each, filters, hold), before);
}

const shown = (loaded: readonly JobsPage<ListedJob>[], live: LiveJobs<ListedJob>) =>
  viewOf(loaded, live).rows.map((row) => `${row.job_id} ${row.status}`);

describe("the list of jobs", () => {
  it("changes a known job where it stands", () => {
    const loaded = pages([[job("b", 2, "running"), job("a", 1)]]);
    expect(shown(loaded, told([job("b", 2, "failed")]))).toEqual(["b failed", "a done"]);
  });

  it("never takes a final status back when an older event comes late", () => {
    expect(shown(pages([[job("a", 1)]]), told([job("a", 1, "running")]))).toEqual(["a done"]);
    expect(shown(pages([[]]), told([job("a", 1, "failed"), job("a", 1, "pending")]))).toEqual(["a failed"]);
  });

  it("puts new jobs on top, newest first, whichever order they come in", () => {
    const live = told([job("b", 2), job("d", 4), job("c", 3)]);
    expect(shown(pages([[job("a", 1)]]), live)).toEqual(["d done", "c done", "b done", "a done"]);
  });

  it("keeps new jobs back from a reader who has scrolled, counts them, and lets them in when asked", () => {
    const loaded = pages([[job("a", 1, "running")]]);
    const live = told([job("b", 2), job("a", 1), job("c", 3, "running")], { hold: true });
    expect(shown(loaded, live)).toEqual(["a done"]);
    expect(viewOf(loaded, live).held).toBe(2);
    expect(shown(loaded, release(live))).toEqual(["c running", "b done", "a done"]);
    expect(viewOf(loaded, release(live)).held).toBe(0);
  });

  it("does not take a job back that was let in before the reader scrolled", () => {
    const live = told([job("b", 2, "running")]);
    const later = told([job("b", 2)], { hold: true, before: live });
    expect(shown(pages([[]]), later)).toEqual(["b done"]);
  });

  it("leaves out jobs that do not fit, and keeps those that did when they came", () => {
    const filters = { ...ALL, status: "running" } as const;
    const live = told([job("a", 1, "running"), job("b", 2), job("a", 1)], { filters });
    expect(shown(pages([[]]), live)).toEqual(["a done"]);
  });

  it("takes a job in once it fits", () => {
    const filters = { ...ALL, status: "failed" } as const;
    const live = told([job("a", 1, "pending"), job("a", 1, "failed")], { filters });
    expect(shown(pages([[]]), live)).toEqual(["a failed"]);
  });

  it("leaves out what belongs to a page not loaded yet", () => {
    const loaded = [[job("d", 9)], [job("c", 8)]];
    const live = told([job("a", 1, "failed")]);
    expect(shown(pages(loaded, true), live)).toEqual(["d done", "c done"]);
    expect(shown(pages(loaded, false), live)).toEqual(["d done", "c done", "a failed"]);
  });

  it("shows a job once, even when two pages have it", () => {
    expect(shown(pages([[job("b", 2), job("a", 1)], [job("a", 1)]]), NOTHING)).toEqual(["b done", "a done"]);
  });

  it("forgets the oldest of very many", () => {
    const many = Array.from({ length: 600 }, (_, index) => job(`j${index}`, index % 60));
    expect(told(many).size).toBe(500);
    expect(told(many).has("j0")).toBe(false);
    expect(told(many).has("j599")).toBe(true);
  });
});
