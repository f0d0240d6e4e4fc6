import { describe, expect, it } from "vitest";
import type { Queue, Worker } from "@/api/types";
import { healthOf, shortIdOf, stateOfWorker, usedShare } from "./health";
import { kindOf, reasonOf } from "./task-words";

const NOW = Date.parse("2026-05-10T12:00:00Z");
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

/** A queue with workers and nothing to do, but for what a test says. */
function aQueue(changes: Partial<Queue> = {}): Queue {
  return {
    ...{ name: "gemini", queued: 0, running: 0, scheduled: 0, retrying: 0, blocked: 0, dead: 0 },
    ...{ oldest_at: null, limit: 4, workers: 1 },
    ...changes,
  };
}

function aWorker(changes: Partial<Worker> = {}): Worker {
  return {
    ...{ id: "a".repeat(32), queues: ["gemini"], slots: 4, running: 0, guard: null },
    ...{ started_at: ago(3600), seen_at: ago(2) },
    ...changes,
  };
}

describe("how a queue is", () => {
  it("tells first what hurts most", () => {
    const everything = { queued: 3, running: 1, dead: 2, oldest_at: ago(301) };
    expect(healthOf(aQueue({ ...everything, workers: 0 }), NOW)).toBe("unattended");
    expect(healthOf(aQueue(everything), NOW)).toBe("behind");
    expect(healthOf(aQueue({ ...everything, oldest_at: ago(299) }), NOW)).toBe("deadLetters");
    expect(healthOf(aQueue({ ...everything, oldest_at: ago(1), dead: 0 }), NOW)).toBe("working");
  });

  it("takes an empty queue without workers for no fault", () => {
    expect(healthOf(aQueue({ workers: 0 }), NOW)).toBe("asleep");
    expect(healthOf(aQueue(), NOW)).toBe("idle");
  });

  it("shows how much of the limit is in use, whatever the limit was lowered to", () => {
    expect(usedShare({ running: 1, limit: 3 })).toBe(33);
    expect(usedShare({ running: 5, limit: 2 })).toBe(100);
    expect(usedShare({ running: 0, limit: 0 })).toBe(0);
  });
});

describe("how a worker is", () => {
  it("tells its guard before its load", () => {
    expect(stateOfWorker(aWorker())).toBe("ready");
    expect(stateOfWorker(aWorker({ running: 4 }))).toBe("full");
    expect(stateOfWorker(aWorker({ running: 4, guard: "draining" }))).toBe("draining");
  });

  it("goes by the beginning of its id, and by whose it is", () => {
    expect(shortIdOf("0123456789abcdef0123456789abcdef")).toBe("01234567");
    expect(shortIdOf("ingest-0123456789abcdef")).toBe("ingest-01234567");
    expect(shortIdOf("booth-7")).toBe("booth-7");
  });

  it("counts a guard of a later version as one", () => {
    expect(stateOfWorker(aWorker({ guard: "disk" }))).toBe("guarded");
  });
});

describe("a dead task in words", () => {
  it("tells a fault of the engine from one of the photo", () => {
    expect(reasonOf("worker_lost")).toEqual({ by: "engine", key: "worker_lost" });
    expect(reasonOf("provider_5xx")).toEqual({ by: "photo", key: "provider_5xx" });
    expect(reasonOf("cosmic_rays")).toEqual({ by: "other" });
    expect(reasonOf("")).toEqual({ by: "other" });
  });

  it("knows a provider's own kind by its family", () => {
    expect(kindOf("photo.process")).toBe("photo");
    expect(kindOf("photo.process.gemini")).toBe("photo");
    expect(kindOf("photo.processing")).toBeNull();
    expect(kindOf("webhook.deliver")).toBe("webhook");
  });
});
