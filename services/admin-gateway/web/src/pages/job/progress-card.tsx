import { Card, Group, Progress, Stack, Text, Title } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { JobDetails } from "@/api/types";
import { type Fact, FactList } from "@/components/figures/fact-list";
import { formatCount } from "@/components/figures/format";
import { TimeAgo, useNow } from "@/components/time-ago";
import { stageOf, startOf } from "./progress";
import classes from "./progress-card.module.css";

/** How far a job is that nobody waits for, while it is not final. */
export function ProgressCard({ job }: { job: JobDetails }) {
  const { t, i18n } = useTranslation("jobs");
  const id = useId();
  const facts = useFacts(job);
  const waiting = job.status === "pending";
  const percent = new Intl.NumberFormat(i18n.language, { style: "percent" }).format(job.progress / 100);
  return (
    <Card component="section" aria-labelledby={id} className={classes["card"] ?? ""}>
      <Stack gap="md">
        <Group justify="space-between" gap="xs" align="baseline">
          <Title order={2} size="h3" id={id}>
            {waiting ? t("job.progress.waitingTitle") : t("job.progress.title")}
          </Title>
          {!waiting && <span className={classes["percent"]}>{percent}</span>}
        </Group>
        <Progress
          value={job.progress}
          size="lg"
          radius="xl"
          animated={!waiting}
          className={classes["bar"] ?? ""}
          aria-label={t("job.progress.bar")}
        />
        <Text fz="sm" role="status">
          <StageText job={job} />
        </Text>
        {facts.length > 0 && <FactList facts={facts} />}
      </Stack>
    </Card>
  );
}

function StageText({ job }: { job: JobDetails }) {
  const { t } = useTranslation("jobs");
  if (job.status === "pending") return t("job.progress.waiting");
  const stage = stageOf(job.stage);
  if (stage === null) return t("job.progress.begun");
  return "key" in stage ? t(`job.progress.stage.${stage.key}`) : stage.text;
}

function useFacts(job: JobDetails): readonly Fact[] {
  const { t, i18n } = useTranslation("jobs");
  const start = startOf(job, useNow());
  return [
    ...(job.queue_position === null
      ? []
      : [{ name: t("job.progress.place"), value: formatCount(job.queue_position, i18n.language) }]),
    ...(start === null
      ? []
      : [
          {
            name: t("job.progress.start"),
            value: start === "soon" ? t("job.progress.soon") : <TimeAgo at={start} />,
          },
        ]),
    ...(job.attempts > 1
      ? [{ name: t("job.progress.attempt"), value: formatCount(job.attempts, i18n.language) }]
      : []),
  ];
}
