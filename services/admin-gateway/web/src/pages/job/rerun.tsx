import { Alert, Anchor, Box, Button, Group, Loader, Stack, Text } from "@mantine/core";
import { IconCheck, IconRefresh } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { JobDetails } from "@/api/types";
import { confirm } from "@/components/confirm";
import { formatDuration } from "@/components/figures/format";
import { isFinal } from "@/components/jobs/model";
import { Photo } from "@/components/photo";
import { ErrorState } from "@/components/states";

/** Runs the kept photo again through the slot as it is now. */
export function useRerun(job: JobDetails) {
  const { t } = useTranslation("jobs");
  const queries = useQueryClient();
  const run = useMutation({
    mutationFn: () =>
      answer(api.POST("/api/jobs/{job_id}/rerun", { params: { path: { job_id: job.job_id } } })),
    // Whether its photo is still kept may be what was wrong.
    onSettled: () => queries.invalidateQueries({ queryKey: keys.job(job.job_id) }),
  });
  const ask = async () => {
    const sure = await confirm({
      title: t("job.rerun.title"),
      text: t("job.rerun.text", { slot: job.slot_display_name }),
      confirm: t("job.rerun.confirm"),
    });
    if (sure) run.mutate();
  };
  return { run, ask };
}

type Rerun = ReturnType<typeof useRerun>;

/** The button; where the photo cannot be run again it says why. */
export function RerunButton({ job, rerun }: { job: JobDetails; rerun: Rerun }) {
  const { t } = useTranslation("jobs");
  const why = isFinal(job.status) ? (job.input.kept ? null : t("job.rerun.inputGone")) : t("job.rerun.wait");
  return (
    <Button
      leftSection={<IconRefresh size={18} aria-hidden />}
      loading={rerun.run.isPending}
      disabled={why !== null}
      title={why ?? undefined}
      onClick={() => void rerun.ask()}
    >
      {t("job.rerun.button")}
    </Button>
  );
}

/** What came of running the photo again. */
export function RerunOutcome({ rerun: { run, ask } }: { rerun: Rerun }) {
  const { t, i18n } = useTranslation("jobs");
  if (run.isPending) {
    return (
      <Alert role="status" icon={<Loader size={18} aria-hidden />}>
        {t("job.rerun.running")}
      </Alert>
    );
  }
  if (run.isError)
    return <ErrorState title={t("job.rerun.failed")} error={run.error} retry={() => void ask()} />;
  if (!run.data) return null;
  const { job_id, thumbnail_url, completed_in_seconds } = run.data;
  return (
    <Alert color="brand" role="status" icon={<IconCheck aria-hidden />}>
      <Group gap="md" wrap="nowrap">
        <Box w="4.5rem">
          <Photo src={thumbnail_url} alt="" />
        </Box>
        <Stack gap={4}>
          <Text fz="sm" fw={650}>
            {t("job.rerun.done", { seconds: formatDuration(completed_in_seconds * 1000, i18n.language) })}
          </Text>
          <Anchor fz="sm" fw={600} component={Link} to={`/jobs/${job_id}`}>
            {t("job.rerun.open")}
          </Anchor>
        </Stack>
      </Group>
    </Alert>
  );
}
