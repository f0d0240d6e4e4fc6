import { useQuery } from "@tanstack/react-query";
import { answer, api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { keys } from "@/api/keys";
import { isFinal } from "@/components/jobs/model";

/** Should live events be away: how often a job that is not final is looked at. */
const POLL_MS = 5000;

/** One job with what it was asked to do, live until it is final. */
export function useJob(jobId: string) {
  return useQuery({
    queryKey: keys.job(jobId),
    queryFn: ({ signal }) =>
      answer(api.GET("/api/jobs/{job_id}/details", { params: { path: { job_id: jobId } }, signal })),
    refetchInterval: ({ state: { data } }) => (data && !isFinal(data.status) ? POLL_MS : false),
  });
}

/** Whether a job is not there (any more), as opposed to could not be loaded. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 404 || error.status === 422);
}
