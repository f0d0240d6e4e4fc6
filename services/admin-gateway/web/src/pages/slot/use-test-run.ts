import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { answer, api, multipart } from "@/api/client";
import { ApiError } from "@/api/errors";
import { keys } from "@/api/keys";
import type { TestRun } from "@/api/types";

export interface TestOrder {
  photo: File;
  /** JSON of the values to try. */
  payload: string;
  /** Seconds the slot gave when it began. */
  window: number;
}

export type TestState =
  | { phase: "idle" }
  | { phase: "running"; startedAt: number; order: TestOrder }
  | { phase: "done"; run: TestRun; order: TestOrder }
  | { phase: "stopped" }
  | { phase: "failed"; error: unknown; failure: { reason: string; message: string } | null };

/** Runs photos through a slot, one at a time. */
export function useTestRun(slotId: string) {
  const stopper = useRef<AbortController | null>(null);
  // Nobody is left to look at the result; the job itself goes on.
  useEffect(() => () => stopper.current?.abort(), []);
  const mutation = useMutation({
    mutationFn: ({ photo, payload }: TestOrder) => {
      const controller = new AbortController();
      stopper.current = controller;
      return answer(
        api.POST("/api/slots/{slot_id}/test-run", {
          params: { path: { slot_id: slotId } },
          ...multipart({ test_image: photo, slot_payload: payload }),
          signal: controller.signal,
        }),
      );
    },
  });
  // The job knows more precisely what went wrong than the answer does.
  const jobId = mutation.error instanceof ApiError ? mutation.error.jobId : null;
  const job = useQuery({
    queryKey: [...keys.job(jobId ?? ""), "failure"],
    enabled: jobId !== null,
    queryFn: ({ signal }) =>
      answer(api.GET("/api/jobs/{job_id}/details", { params: { path: { job_id: jobId ?? "" } }, signal })),
    select: (details) => details.failure,
  });
  return {
    state: stateOf(mutation, jobId === null ? null : (job.data ?? null)),
    run: (order: TestOrder) => mutation.mutate(order),
    stop: () => stopper.current?.abort(),
    reset: () => mutation.reset(),
  };
}

type Mutation = ReturnType<typeof useMutation<TestRun, Error, TestOrder>>;

function stateOf(mutation: Mutation, failure: { reason: string; message: string } | null): TestState {
  switch (mutation.status) {
    case "idle":
      return { phase: "idle" };
    case "pending":
      return { phase: "running", startedAt: mutation.submittedAt, order: mutation.variables };
    case "success":
      return { phase: "done", run: mutation.data, order: mutation.variables };
    case "error":
      return isAbort(mutation.error)
        ? { phase: "stopped" }
        : { phase: "failed", error: mutation.error, failure };
  }
}

function isAbort(error: Error): boolean {
  return error.name === "AbortError";
}

/** An address for showing a local file; null without one. */
export function useObjectUrl(file: File | null): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => {
      setUrl(null);
      URL.revokeObjectURL(made);
    };
  }, [file]);
  return url;
}
