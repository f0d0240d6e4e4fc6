import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import { notifyDone, notifyError } from "@/components/notify";

const REFRESH_MS = 5000;
const PAGE_SIZE = 50;

/** Queues and workers; asked for anew every few seconds while the page is seen, and when a job moved. */
export function useQueues() {
  return useQuery({
    queryKey: keys.queues,
    queryFn: ({ signal }) => answer(api.GET("/api/queues", { signal })),
    staleTime: 0,
    refetchInterval: REFRESH_MS,
    refetchIntervalInBackground: false,
  });
}

/** A queue's dead tasks, the latest first. */
export function useDeadTasks(queue: string) {
  return useInfiniteQuery({
    queryKey: keys.deadTasks(queue),
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/queues/{queue}/dead", {
          params: {
            path: { queue },
            query: { limit: PAGE_SIZE, ...(pageParam === null ? {} : { cursor: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
    staleTime: 0,
  });
}

export type Decision = "requeue" | "drop";

/**
 * Decides on a dead task, and tells. Refused or not, somebody else may have been faster: the lists are read again.
 *
 * `onDone` comes before the task leaves the list, and with it whoever asked.
 */
export function useDecision(onDone: () => void) {
  const { t } = useTranslation("queues");
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ decision, taskId }: { decision: Decision; taskId: string }) => {
      const path = { params: { path: { task_id: taskId } } };
      await (decision === "requeue"
        ? api.POST("/api/queues/dead/{task_id}/requeue", path)
        : api.POST("/api/queues/dead/{task_id}/drop", path));
    },
    onSuccess: (_, { decision }) => {
      notifyDone(t(`${decision}.done`));
      onDone();
    },
    onError: (error) => notifyError(error),
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.allDeadTasks }),
        queries.invalidateQueries({ queryKey: keys.queues }),
        queries.invalidateQueries({ queryKey: keys.audit }),
      ]),
  });
}
