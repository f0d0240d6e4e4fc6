import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { keys } from "@/api/keys";
import { notifyDone, notifyError } from "@/components/notify";
import { type DeliveryFilters, searchOf } from "./filters";

const PAGE_SIZE = 50;
/** No event tells of deliveries: what is seen is asked for anew. */
const REFRESH_MS = 4000;

/** Deliveries, newest first, page by page; the first page keeps itself fresh while it is the only one. */
export function useDeliveries(filters: DeliveryFilters) {
  return useInfiniteQuery({
    queryKey: keys.deliveries(searchOf(filters).toString()),
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/webhooks/deliveries", {
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(filters.client === null ? {} : { client_id: filters.client }),
              ...(filters.state === null ? {} : { state: filters.state }),
              ...(filters.job === null ? {} : { job_id: filters.job }),
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
    staleTime: 0,
    refetchInterval: ({ state: { data } }) => (data && data.pages.length > 1 ? false : REFRESH_MS),
  });
}

/** One delivery with its attempts, live until it is over. */
export function useDelivery(deliveryId: string) {
  return useQuery({
    queryKey: keys.delivery(deliveryId),
    queryFn: ({ signal }) =>
      answer(
        api.GET("/api/webhooks/deliveries/{delivery_id}", {
          params: { path: { delivery_id: deliveryId } },
          signal,
        }),
      ),
    staleTime: 0,
    refetchInterval: ({ state: { data } }) => (data && data.state !== "pending" ? false : REFRESH_MS),
  });
}

/** Whether a delivery is not there (any more), as opposed to could not be loaded. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Sends a delivery once more, and tells. Refused or not, somebody else may have been faster: all is read again. */
export function useResend(deliveryId: string) {
  const { t } = useTranslation("webhooks");
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answer(
        api.POST("/api/webhooks/deliveries/{delivery_id}/resend", {
          params: { path: { delivery_id: deliveryId } },
        }),
      ),
    onSuccess: () => notifyDone(t("resend.done")),
    onError: (error) => notifyError(error),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.webhooks }),
        queries.invalidateQueries({ queryKey: keys.audit }),
      ]),
  });
}
