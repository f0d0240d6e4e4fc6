import { createContext, use, useEffect, useEffectEvent, useSyncExternalStore } from "react";
import type { LiveEvent, LiveEvents, LiveState } from "@/api/events";

export const LiveEventsContext = createContext<LiveEvents | null>(null);

/** Calls `listener` with every live event while the component is there. Queries are marked outdated without it. */
export function useLiveEvents(listener: (event: LiveEvent) => void): void {
  const events = use(LiveEventsContext);
  const listen = useEffectEvent(listener);
  useEffect(() => events?.subscribe((event) => listen(event)), [events]);
}

/** Whether the page updates by itself right now. */
export function useLiveState(): LiveState {
  const events = use(LiveEventsContext);
  return useSyncExternalStore(
    (listener) => events?.subscribeToState(listener) ?? (() => {}),
    () => events?.state ?? "connecting",
  );
}
