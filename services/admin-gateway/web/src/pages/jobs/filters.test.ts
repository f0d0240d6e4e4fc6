import { describe, expect, it } from "vitest";
import { filtersOf, isNarrowed, matches, searchOf } from "./filters";

describe("filters in the address", () => {
  it("come back as they were written", () => {
    const filters = { slot: "slot-015", status: "failed", source: "ui_test" } as const;
    expect(filtersOf(searchOf(filters))).toEqual(filters);
  });

  it("are absent where they make no sense", () => {
    const filters = filtersOf(new URLSearchParams("slot=slot-016&status=odd&source=%00"));
    expect(filters).toEqual({ slot: null, status: null, source: null });
    expect(isNarrowed(filters)).toBe(false);
    expect(searchOf(filters).toString()).toBe("");
  });
});

it("a job matches when it fits every filter that is set", () => {
  const job = { slot_id: "slot-001", status: "done", source: "ingest" } as const;
  expect(matches({ slot: null, status: null, source: null }, job)).toBe(true);
  expect(matches({ slot: "slot-001", status: "done", source: "ingest" }, job)).toBe(true);
  expect(matches({ slot: "slot-002", status: null, source: null }, job)).toBe(false);
  expect(matches({ slot: null, status: "failed", source: null }, job)).toBe(false);
  expect(matches({ slot: null, status: null, source: "ui_test" }, job)).toBe(false);
});
