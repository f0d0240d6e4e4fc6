import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { WindowMinutes } from "./windows";

/** The window moves on even when no photo ends; what does end is told by live events. */
const MOVES_ON_MS = 60_000;

const COMMON = { refetchInterval: MOVES_ON_MS, placeholderData: keepPreviousData } as const;

/** The totals of a window. */
export function useOverview(window: WindowMinutes) {
  return useQuery({
    queryKey: [...keys.statistics, "overview", window],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/stats/overview", { params: { query: { window_minutes: window } }, signal })),
    ...COMMON,
  });
}

/** The active slots' figures in a window, and its recent failures. */
export function useSlotsStatistics(window: WindowMinutes) {
  return useQuery({
    queryKey: [...keys.statistics, "slots", window],
    queryFn: ({ signal }) =>
      answer(api.GET("/api/stats/slots", { params: { query: { window_minutes: window } }, signal })),
    ...COMMON,
  });
}

/** A window step by step, of one slot or (`null`) all. */
export function useSeries(window: WindowMinutes, slotId: string | null) {
  return useQuery({
    queryKey: [...keys.statistics, "series", window, slotId],
    queryFn: ({ signal }) =>
      answer(
        api.GET("/api/stats/series", {
          params: { query: { window_minutes: window, ...(slotId === null ? {} : { slot_id: slotId }) } },
          signal,
        }),
      ),
    ...COMMON,
  });
}
