import { describe, expect, it } from "vitest";
import { type TimedJob, timelineOf } from "./timeline";

const START = Date.parse("2026-03-01T10:00:00.000Z");
const instant = (ms: number) => new Date(START + ms).toISOString();

function job(changes: Partial<TimedJob> = {}): TimedJob {
  return {
    received_at: instant(0),
    created_at: instant(500),
    provider_started_at: instant(1500),
    finished_at: instant(10_000),
    deadline: instant(48_000),
    stages: [
      { stage: "provider", milliseconds: 7000 },
      { stage: "fetch", milliseconds: 500 },
      { stage: "store", milliseconds: 300 },
    ],
    ...changes,
  };
}

const kinds = (changes: Partial<TimedJob>, now = START) =>
  timelineOf(job(changes), now).pieces.map((piece) => piece.kind);

describe("timelineOf", () => {
  it("fills the whole bar, stages in the order they happen", () => {
    const timeline = timelineOf(job(), START);
    expect(timeline.pieces.map((piece) => [piece.kind, piece.milliseconds])).toEqual([
      ["upload", 500],
      ["queue", 1000],
      ["fetch", 500],
      ["provider", 7000],
      ["store", 300],
      ["other", 700],
    ]);
    expect(timeline.pieces.reduce((sum, piece) => sum + piece.share, 0)).toBeCloseTo(1);
    expect(timeline.totalMs).toBe(10_000);
    expect(timeline.limitMs).toBe(48_000);
  });

  it("scales stages down to the turn when they add up to more", () => {
    const timeline = timelineOf(job({ stages: [{ stage: "provider", milliseconds: 17_000 }] }), START);
    expect(timeline.pieces.at(-1)).toEqual({ kind: "provider", milliseconds: 8500, share: 0.85 });
  });

  it("grows until now while the job is with the provider", () => {
    const timeline = timelineOf(job({ finished_at: null, stages: [] }), START + 5000);
    expect(timeline.live).toBe(true);
    expect(timeline.totalMs).toBe(5000);
    expect(timeline.pieces.at(-1)).toEqual({ kind: "running", milliseconds: 3500, share: 0.7 });
  });

  it("shows a waiting job as waiting", () => {
    expect(kinds({ provider_started_at: null, finished_at: null, stages: [] }, START + 4000)).toEqual([
      "upload",
      "queue",
    ]);
  });

  it("keeps stages it does not know, after those it does", () => {
    expect(
      kinds({
        stages: [
          { stage: "polish", milliseconds: 10 },
          { stage: "store", milliseconds: 10 },
        ],
      }),
    ).toEqual(["upload", "queue", "store", "polish", "other"]);
  });

  it("has nothing to show, and divides by nothing, for a job that took no time", () => {
    const timeline = timelineOf(
      job({ created_at: instant(0), provider_started_at: null, finished_at: instant(0), stages: [] }),
      START,
    );
    expect(timeline.pieces).toEqual([]);
    expect(timeline.totalMs).toBe(0);
  });

  it("survives clocks that disagree", () => {
    const timeline = timelineOf(
      job({ created_at: instant(-50), provider_started_at: instant(20_000) }),
      START,
    );
    expect(timeline.pieces.every((piece) => piece.milliseconds >= 0 && piece.share <= 1)).toBe(true);
  });
});
