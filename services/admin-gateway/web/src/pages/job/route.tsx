import { Anchor, Grid, Group, Stack, Text } from "@mantine/core";
import { IconArrowLeft, IconZoomQuestion } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import type { JobDetails } from "@/api/types";
import { CopyButton } from "@/components/copy-field";
import { FailureExplained } from "@/components/jobs/failure-words";
import { isFinal } from "@/components/jobs/model";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { JobStatusPill } from "@/components/status-pill";
import { TimeAgo } from "@/components/time-ago";
import { ClientsJobActions } from "./clients-job-actions";
import { DeliveriesCard } from "./deliveries-card";
import { Pictures } from "./pictures";
import { ProgressCard } from "./progress-card";
import { ReceivedCard, RequestCard } from "./request-card";
import { RerunButton, RerunOutcome, useRerun } from "./rerun";
import { TimelineCard } from "./timeline-card";
import { isGone, useJob } from "./use-job";

/** One job: what came of it, where its time went, and what to do if it failed. */
export function Component() {
  const { jobId = "" } = useParams();
  const { t } = useTranslation("jobs");
  const job = useJob(jobId);
  // Another job is another page, with nothing left of the last one's runs.
  if (job.data) return <JobPage key={jobId} job={job.data} />;
  return (
    <Page title={t("job.title", { id: jobId.slice(0, 8) })} above={<Back />}>
      {job.isPending && <LoadingRows rows={3} height={180} />}
      {job.isError &&
        (isGone(job.error) ? (
          <EmptyState icon={IconZoomQuestion} title={t("job.notFound")} />
        ) : (
          <ErrorState error={job.error} retry={() => void job.refetch()} />
        ))}
    </Page>
  );
}

function JobPage({ job }: { job: JobDetails }) {
  const { t } = useTranslation("jobs");
  const rerun = useRerun(job);
  const async = job.mode === "async";
  return (
    <Page
      title={t("job.title", { id: job.job_id.slice(0, 8) })}
      above={<Back />}
      subtitle={
        <Group gap="xs">
          <span role="status">
            <JobStatusPill status={job.status} />
          </span>
          <Text span fz="sm">
            {job.slot_id === null ? t("noSlot") : job.slot_display_name} · <TimeAgo at={job.received_at} />
          </Text>
          <CopyButton value={job.job_id} what={t("job.id")} />
        </Group>
      }
      actions={async ? <ClientsJobActions job={job} /> : <RerunButton job={job} rerun={rerun} />}
    >
      <RerunOutcome rerun={rerun} />
      <Grid gutter="lg">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="lg">
            {async && !isFinal(job.status) && <ProgressCard job={job} />}
            {job.failure && (
              <FailureExplained
                reason={job.failure.reason}
                message={job.failure.message}
                slotId={job.slot_id}
              />
            )}
            <Pictures job={job} />
            <TimelineCard job={job} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Stack gap="lg">
            <DeliveriesCard job={job} />
            <RequestCard job={job} />
            <ReceivedCard job={job} />
          </Stack>
        </Grid.Col>
      </Grid>
    </Page>
  );
}

function Back() {
  const { t } = useTranslation("jobs");
  return (
    <Anchor component={Link} to="/jobs" fz="sm">
      <Group gap={4}>
        <IconArrowLeft size={16} aria-hidden />
        {t("job.back")}
      </Group>
    </Anchor>
  );
}
