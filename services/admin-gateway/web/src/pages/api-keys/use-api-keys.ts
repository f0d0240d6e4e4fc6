import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { NewApiKeyChange } from "@/api/types";

const PAGE_SIZE = 50;

/** API keys, newest first, page by page. */
export function useApiKeys() {
  return useInfiniteQuery({
    queryKey: keys.apiKeys,
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/api-keys", {
          params: {
            query: { limit: PAGE_SIZE, ...(pageParam === null ? {} : { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
  });
}

/** Makes a key. The answer is the only place where the key itself is, so nothing keeps it. */
export function useCreateKey() {
  const outdate = useOutdated();
  return useMutation({
    mutationFn: (change: NewApiKeyChange) => answer(api.POST("/api/api-keys", { body: change })),
    gcTime: 0,
    onSuccess: outdate,
  });
}

export function useRevokeKey() {
  const outdate = useOutdated();
  return useMutation({
    mutationFn: async (id: string) => {
      await api.DELETE("/api/api-keys/{api_key_id}", { params: { path: { api_key_id: id } } });
    },
    // Refused or not: somebody else may have been faster.
    onSettled: outdate,
  });
}

function useOutdated(): () => void {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: keys.apiKeys });
    void queries.invalidateQueries({ queryKey: keys.audit });
  };
}
