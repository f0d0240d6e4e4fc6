import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { keys } from "./keys";
import type { JobRow } from "./types";

/** What `/api/events` tells: see docs/http.md. */
export type LiveEvent =
  | {
      kind: "job.created" | "job.started" | "job.progressed" | "job.finished" | "job.result-kept";
      job: JobRow;
    }
  | { kind: "slot.changed"; slot_id: string; version: number; updated_by: string }
  | { kind: "settings.changed"; version: number }
  | { kind: "reset" };

export type LiveState = "connecting" | "live" | "reconnecting";

const KINDS: LiveEvent["kind"][] = [
  ...(["job.created", "job.started", "job.progressed", "job.finished", "job.result-kept"] as const),
  ...(["slot.changed", "settings.changed", "reset"] as const),
];

/** Bursts of photos cost one reload of a list in this time, not one each. */
const GATHER_MS = 700;
/** The browser itself retries broken connections; a refused one is ours to retry. */
const RETRY_MS = [1000, 2000, 5000, 10_000];

/** What an event outdates; null: everything. */
export function outdatedBy(event: LiveEvent): QueryKey[] | null {
  switch (event.kind) {
    case "job.created":
    case "job.started":
      return [keys.slots, keys.jobs, keys.job(event.job.job_id), keys.queues];
    case "job.progressed":
      return [keys.job(event.job.job_id)];
    case "job.finished":
    case "job.result-kept":
      return [
        ...[keys.slots, ...ofSlot(event.job.slot_id), keys.jobs, keys.job(event.job.job_id)],
        ...[keys.statistics, keys.gallery, keys.queues],
        // A program may be told of it.
        ...(event.job.client_id === null ? [] : [keys.webhooks]),
      ];
    case "slot.changed":
      return [keys.slots, keys.slot(event.slot_id), keys.gallery, keys.statistics, keys.audit];
    case "settings.changed":
      return [keys.settings, keys.providers, keys.slots, keys.audit];
    case "reset":
      return null;
  }
}

/** A program's job may have no slot. */
function ofSlot(slotId: string | null): QueryKey[] {
  return slotId === null ? [] : [keys.slot(slotId)];
}

/** One connection to `/api/events`, shared by the whole page; opened while somebody is signed in. */
export class LiveEvents {
  #source: EventSource | null = null;
  #lastEventId = "";
  #refusals = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #gathering: ReturnType<typeof setTimeout> | undefined;
  readonly #outdated = new Map<string, QueryKey>();
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #stateListeners = new Set<() => void>();
  #state: LiveState = "connecting";

  constructor(
    private readonly queries: QueryClient,
    private readonly open: (url: string) => EventSource = (url) => new EventSource(url),
    /** Called when the server refuses the connection: finds out whether the session ended. */
    private readonly refused: () => void = () => {},
  ) {}

  get state(): LiveState {
    return this.#state;
  }

  /** Connects; returns what disconnects. */
  start(): () => void {
    this.#connect();
    return () => {
      clearTimeout(this.#retry);
      clearTimeout(this.#gathering);
      this.#source?.close();
      this.#source = null;
      this.#outdated.clear();
      this.#lastEventId = "";
      this.#become("connecting");
    };
  }

  /** Hands every event on, in order, after its queries were marked as outdated; returns what unsubscribes. */
  subscribe(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  subscribeToState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  };

  #connect(): void {
    const resume = this.#lastEventId ? `?last_event_id=${encodeURIComponent(this.#lastEventId)}` : "";
    const source = this.open(`/api/events${resume}`);
    this.#source = source;
    source.onopen = () => {
      this.#refusals = 0;
      this.#become("live");
    };
    source.onerror = () => {
      this.#become("reconnecting");
      if (source.readyState !== EventSource.CLOSED) return;
      this.refused();
      const pause = RETRY_MS[Math.min(this.#refusals, RETRY_MS.length - 1)];
      this.#refusals += 1;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.#connect(), pause);
    };
    for (const kind of KINDS) {
      source.addEventListener(kind, (message: MessageEvent<string>) => {
        if (message.lastEventId) this.#lastEventId = message.lastEventId;
        // The server is ours and of the same build; its events have the documented shapes.
        this.#receive({ kind, ...JSON.parse(message.data) } as LiveEvent);
      });
    }
  }

  #receive(event: LiveEvent): void {
    const outdated = outdatedBy(event);
    if (outdated === null) {
      void this.queries.invalidateQueries();
    } else {
      for (const key of outdated) this.#outdated.set(JSON.stringify(key), key);
      this.#gathering ??= setTimeout(() => this.#reload(), GATHER_MS);
    }
    for (const listener of this.#listeners) listener(event);
  }

  #reload(): void {
    this.#gathering = undefined;
    for (const queryKey of this.#outdated.values()) void this.queries.invalidateQueries({ queryKey });
    this.#outdated.clear();
  }

  #become(state: LiveState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#stateListeners) listener();
  }
}
