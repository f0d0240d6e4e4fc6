import { describe, expect, it } from "vitest";
import { chartPoints, hasJobs, type Step } from "./chart-data";
import { BY_SLOT, nextSorting, type SlotFigures, type Sorting, sortSlots } from "./slots-order";
import { DEFAULT_WINDOW, windowOf } from "./windows";

function slot(id: string, changes: Partial<SlotFigures> = {}): SlotFigures {
  return {
    slot_id: id,
    display_name: id,
    jobs_last_window: 0,
    success_rate: null,
    timeout_rate: null,
    provider_errors_last_window: 0,
    p50_ms: null,
    p95_ms: null,
    last_success_at: null,
    ...changes,
  };
}

const order = (rows: readonly SlotFigures[], sorting: Sorting) =>
  sortSlots(rows, sorting).map((row) => row.slot_id);

describe("the window of an address", () => {
  it("is the one it names", () => {
    expect(windowOf(new URLSearchParams("window=4320"))).toBe(4320);
  });

  it("is the default where it names none of ours", () => {
    for (const search of ["", "window=7", "window=60abc", "window="]) {
      expect(windowOf(new URLSearchParams(search))).toBe(DEFAULT_WINDOW);
    }
  });
});

describe("the table of slots", () => {
  const rows = [slot("b", { p95_ms: 10 }), slot("a", { p95_ms: 30 }), slot("c")];

  it("sorts both ways, with slots without a figure last each time", () => {
    expect(order(rows, { column: "p95_ms", descending: true })).toEqual(["a", "b", "c"]);
    expect(order(rows, { column: "p95_ms", descending: false })).toEqual(["b", "a", "c"]);
  });

  it("keeps slots with the same figure in their usual order", () => {
    expect(order([slot("b"), slot("a")], { column: "jobs_last_window", descending: true })).toEqual([
      "a",
      "b",
    ]);
  });

  it("turns round on a second click and begins with the largest on another column", () => {
    const first = nextSorting(BY_SLOT, "p95_ms");
    expect(first).toEqual({ column: "p95_ms", descending: true });
    expect(nextSorting(first, "p95_ms").descending).toBe(false);
    expect(nextSorting(first, "slot_id")).toEqual(BY_SLOT);
  });
});

describe("points of a chart", () => {
  const step: Step = {
    starts_at: "2026-03-01T10:00:00.000Z",
    jobs: 3,
    success: 2,
    failures: 1,
    timeouts: 0,
    p50_ms: 4321,
    p95_ms: null,
  };

  it("have seconds with two digits, and a gap where nothing was done", () => {
    const [point] = chartPoints([step], 60, "en");
    expect(point).toMatchObject({ success: 2, failures: 1, timeouts: 0, p50: 4.32, p95: null });
    expect(point?.time).toMatch(/\d\d:00/);
  });

  it("name the day in windows longer than one", () => {
    const [short] = chartPoints([step], 1440, "en");
    const [long] = chartPoints([step], 4320, "en");
    expect(long?.time).toMatch(/[A-Z][a-z]{2}/);
    expect(short?.time).not.toMatch(/[A-Z][a-z]{2}/);
  });

  it("are worth drawing once any job ended", () => {
    expect(hasJobs([step])).toBe(true);
    expect(hasJobs([{ ...step, jobs: 0 }])).toBe(false);
  });
});
