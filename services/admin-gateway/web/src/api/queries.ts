import { queryOptions } from "@tanstack/react-query";
import { answer, api } from "./client";
import { keys } from "./keys";
import { setCsrfToken } from "./session";

/** Who is signed in; fetching it also learns the session's CSRF token. */
export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: async ({ signal }) => {
    const me = await answer(api.GET("/api/me", { signal }));
    setCsrfToken(me.csrf_token ?? null);
    return me;
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

export const slotsQuery = queryOptions({
  queryKey: keys.slots,
  queryFn: ({ signal }) => answer(api.GET("/api/slots", { signal })),
});

/** Providers and their operations: they change with a deployment or a key only. */
export const providersQuery = queryOptions({
  queryKey: keys.providers,
  queryFn: ({ signal }) => answer(api.GET("/api/providers", { signal })),
  staleTime: 60_000,
});

export const settingsQuery = queryOptions({
  queryKey: keys.settings,
  queryFn: ({ signal }) => answer(api.GET("/api/settings", { signal })),
});

export const galleriesQuery = queryOptions({
  queryKey: keys.gallery,
  queryFn: ({ signal }) => answer(api.GET("/api/gallery", { signal })),
});

export function slotQuery(slotId: string) {
  return queryOptions({
    queryKey: keys.slot(slotId),
    queryFn: ({ signal }) =>
      answer(api.GET("/api/slots/{slot_id}", { params: { path: { slot_id: slotId } }, signal })),
  });
}
