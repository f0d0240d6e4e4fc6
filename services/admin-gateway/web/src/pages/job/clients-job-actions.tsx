import { Button } from "@mantine/core";
import { IconRefresh, IconX } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { JobDetails } from "@/api/types";
import { confirm } from "@/components/confirm";
import { isFinal } from "@/components/jobs/model";
import { notifyDone, notifyError } from "@/components/notify";

/** What can be done with a program's job: stop it while it is not final, and then run it again. */
export function ClientsJobActions({ job }: { job: JobDetails }) {
  return isFinal(job.status) ? <RetryButton job={job} /> : <CancelButton job={job} />;
}

function CancelButton({ job }: { job: JobDetails }) {
  const { t } = useTranslation("jobs");
  const outdate = useOutdated(job.job_id);
  const cancel = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/jobs/{job_id}/cancel", { params: { path: { job_id: job.job_id } } })),
    onSuccess: () => notifyDone(t("job.cancel.done")),
    onError: (error) => notifyError(error),
    // Refused or not: it may have ended meanwhile.
    onSettled: outdate,
  });
  const ask = async () => {
    const sure = await confirm({
      title: t("job.cancel.title"),
      text: job.status === "pending" ? t("job.cancel.waiting") : t("job.cancel.running"),
      confirm: t("job.cancel.button"),
      cancel: t("job.cancel.keep"),
      destructive: true,
    });
    if (sure) cancel.mutate();
  };
  return (
    <Button
      variant="default"
      leftSection={<IconX size={18} aria-hidden />}
      loading={cancel.isPending}
      onClick={() => void ask()}
    >
      {t("job.cancel.button")}
    </Button>
  );
}

function RetryButton({ job }: { job: JobDetails }) {
  const { t } = useTranslation("jobs");
  const navigate = useNavigate();
  const outdate = useOutdated(job.job_id);
  const retry = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/jobs/{job_id}/retry", { params: { path: { job_id: job.job_id } } })),
    onSuccess: (made) => navigate(`/jobs/${made.job_id}`),
    onError: (error) => notifyError(error, t("job.retry.failed")),
    onSettled: outdate,
  });
  const ask = async () => {
    const sure = await confirm({
      title: t("job.retry.title"),
      text: t("job.retry.text"),
      confirm: t("job.retry.button"),
    });
    if (sure) retry.mutate();
  };
  return (
    <Button
      leftSection={<IconRefresh size={18} aria-hidden />}
      loading={retry.isPending}
      disabled={!job.input.kept}
      title={job.input.kept ? undefined : t("job.retry.inputGone")}
      onClick={() => void ask()}
    >
      {t("job.retry.button")}
    </Button>
  );
}

function useOutdated(jobId: string) {
  const queries = useQueryClient();
  return () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: keys.job(jobId) }),
      queries.invalidateQueries({ queryKey: keys.audit }),
    ]);
}
