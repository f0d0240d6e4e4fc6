import { useInfiniteQuery } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import { type AuditFilters, searchOf } from "./filters";
import { prefixOf } from "./words";

const PAGE_SIZE = 50;

/** The log, newest first, page by page. */
export function useAudit(filters: AuditFilters) {
  return useInfiniteQuery({
    queryKey: [...keys.audit, searchOf(filters).toString()],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/audit", {
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(filters.actor ? { actor: filters.actor } : {}),
              ...(filters.group ? { action: prefixOf(filters.group) } : {}),
              ...(filters.target ? { target: filters.target } : {}),
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
  });
}
