import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { answer, api } from "@/api/client";
import type { JobRow } from "@/api/types";
import { useLiveEvents } from "@/components/live";
import type { JobFilters } from "./filters";
import { type LiveJobs, release, tell, viewOf } from "./live-jobs";

const PAGE_SIZE = 50;
/** A reader who has scrolled this far is not at the top any more. */
const SCROLLED_PX = 200;

const NOTHING: LiveJobs<JobRow> = new Map();

/** The list of jobs, live. Use it in a component whose `key` is made of the filters: they do not change in its life. */
export function useJobs(filters: JobFilters) {
  const [live, setLive] = useState(NOTHING);
  const query = useInfiniteQuery({
    // Not under `keys.jobs`: events are put in one by one, so that rows do not jump with each.
    queryKey: ["job-list", filters],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/jobs", {
          params: {
            query: {
              limit: PAGE_SIZE,
              ...(filters.slot === null ? {} : { slot_id: filters.slot }),
              ...(filters.status === null ? {} : { status: [filters.status] }),
              ...(filters.source === null ? {} : { source: filters.source }),
              ...(pageParam === null ? {} : { cursor: pageParam }),
            },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? null,
    // Events heard while the page was away are lost to it.
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });

  useLiveEvents((event) => {
    if (!("job" in event)) return;
    const { job } = event;
    const hold = window.scrollY > SCROLLED_PX;
    setLive((before) => tell(before, job, filters, hold));
  });

  const pages = query.data?.pages;
  const view = useMemo(() => viewOf(pages ?? [], live), [pages, live]);
  const letIn = useCallback(() => setLive(release), []);
  return { query, ...view, letIn };
}
