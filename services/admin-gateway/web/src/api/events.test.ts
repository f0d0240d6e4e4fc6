import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type LiveEvent, LiveEvents, outdatedBy } from "./events";

/** An EventSource whose server is the test. */
class Source extends EventTarget {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  constructor(readonly url: string) {
    super();
  }
  close(): void {
    this.readyState = 2;
  }
  tell(kind: string, data: object, lastEventId = ""): void {
    this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data), lastEventId }));
  }
  breakOff({ forGood }: { forGood: boolean }): void {
    this.readyState = forGood ? 2 : 0;
    this.onerror?.();
  }
}

function live() {
  const queries = new QueryClient();
  const outdated = vi.spyOn(queries, "invalidateQueries");
  const sources: Source[] = [];
  const refused = vi.fn();
  const open = (url: string) => {
    const source = new Source(url);
    sources.push(source);
    // Stands in for the browser's, of which only these parts are used.
    return source as unknown as EventSource;
  };
  const events = new LiveEvents(queries, open, refused);
  const newest = () => {
    const source = sources.at(-1);
    if (!source) throw new Error("no connection was opened");
    return source;
  };
  return { events, outdated, newest, sources, refused };
}

const SLOT_CHANGED = { slot_id: "slot-003", version: 8, updated_by: "igor" };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", { CLOSED: 2 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("gathers a burst of events into one reload of each list", () => {
  const { events, outdated, newest } = live();
  events.start();
  newest().tell("slot.changed", SLOT_CHANGED);
  newest().tell("slot.changed", SLOT_CHANGED);
  expect(outdated).not.toHaveBeenCalled();
  vi.runAllTimers();
  const keys = outdated.mock.calls.map(([filter]) => JSON.stringify(filter?.queryKey));
  expect(keys).toContain('["slots"]');
  expect(keys).toContain('["slot","slot-003"]');
  expect(new Set(keys).size).toBe(keys.length);
});

it("takes everything for outdated when events were missed", () => {
  const { events, outdated, newest } = live();
  events.start();
  newest().tell("reset", {});
  expect(outdated).toHaveBeenCalledWith();
});

it("hands events to who listens, and no longer to who stopped", () => {
  const { events, newest } = live();
  events.start();
  const heard: LiveEvent[] = [];
  const stop = events.subscribe((event) => heard.push(event));
  newest().tell("settings.changed", { version: 2 });
  stop();
  newest().tell("settings.changed", { version: 3 });
  expect(heard).toEqual([{ kind: "settings.changed", version: 2 }]);
});

it("resumes after the last event it saw when the server refused it, with growing pauses", () => {
  const { events, newest, sources, refused } = live();
  events.start();
  newest().onopen?.();
  expect(events.state).toBe("live");
  newest().tell("slot.changed", SLOT_CHANGED, "41");
  newest().breakOff({ forGood: true });
  expect(events.state).toBe("reconnecting");
  expect(refused).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(1000);
  expect(newest().url).toBe("/api/events?last_event_id=41");
  newest().breakOff({ forGood: true });
  vi.advanceTimersByTime(1000);
  expect(sources).toHaveLength(2);
  vi.advanceTimersByTime(1000);
  expect(sources).toHaveLength(3);
});

it("leaves a broken connection to the browser, and opens none once it is stopped", () => {
  const { events, newest, sources } = live();
  const stop = events.start();
  newest().breakOff({ forGood: false });
  vi.runAllTimers();
  expect(sources).toHaveLength(1);
  newest().breakOff({ forGood: true });
  stop();
  vi.runAllTimers();
  expect(sources).toHaveLength(1);
  expect(events.state).toBe("connecting");
});

it("knows what a finished job outdates", () => {
  const job = { job_id: "ab", slot_id: "slot-001", client_id: null };
  const event = { kind: "job.finished", job } as LiveEvent; // As much as is read.
  expect(outdatedBy(event)).toEqual(
    expect.arrayContaining([
      ["slots"],
      ["slot", "slot-001"],
      ["jobs"],
      ["job", "ab"],
      ["statistics"],
      ["gallery"],
    ]),
  );
});

it("knows that a program's job outdates what the program was told, and its progress the job alone", () => {
  const job = { job_id: "ab", slot_id: null, client_id: "cd" };
  const told = (kind: "job.finished" | "job.progressed") => outdatedBy({ kind, job } as LiveEvent); // As much as is read.
  expect(told("job.finished")).toContainEqual(["webhooks"]);
  expect(told("job.progressed")).toEqual([["job", "ab"]]);
});
