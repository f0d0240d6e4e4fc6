import { Box, Card, Group, Stack, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconCamera, IconCode, IconFlask } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { JobRow } from "@/api/types";
import { formatDuration } from "@/components/figures/format";
import { useFailureWords } from "@/components/jobs/failure-words";
import { useOperationWords } from "@/components/operation-words";
import { Photo } from "@/components/photo";
import { JobStatusPill } from "@/components/status-pill";
import { TimeAgo } from "@/components/time-ago";
import classes from "./job-rows.module.css";

const SOURCE_ICONS = { ingest: IconCamera, ui_test: IconFlask, api: IconCode };

/** Jobs as a table; as cards where there is no room for one. */
export function JobRows({ jobs }: { jobs: readonly JobRow[] }) {
  const { t } = useTranslation("jobs");
  const narrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  if (narrow) {
    return (
      <Stack component="ul" gap="sm" className={classes["list"] ?? ""}>
        {jobs.map((job) => (
          <JobCard key={job.job_id} job={job} />
        ))}
      </Stack>
    );
  }
  return (
    <Card p={0}>
      <Table.ScrollContainer minWidth="56rem" type="native">
        <Table
          verticalSpacing="xs"
          horizontalSpacing="md"
          highlightOnHover
          className={classes["table"] ?? ""}
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="4.5rem">{t("columns.photo")}</Table.Th>
              <Table.Th>{t("columns.slot")}</Table.Th>
              <Table.Th>{t("columns.status")}</Table.Th>
              <Table.Th>{t("columns.received")}</Table.Th>
              <Table.Th ta="right">{t("columns.duration")}</Table.Th>
              <Table.Th>{t("columns.provider")}</Table.Th>
              <Table.Th>{t("columns.failure")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {jobs.map((job) => (
              <JobTableRow key={job.job_id} job={job} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function JobTableRow({ job }: { job: JobRow }) {
  const { i18n } = useTranslation();
  const words = useOperationWords();
  return (
    <Table.Tr className={classes["row"] ?? ""}>
      <Table.Td>
        <Thumbnail job={job} />
      </Table.Td>
      <Table.Td>
        <JobLink job={job} />
        <SourceLine job={job} />
      </Table.Td>
      <Table.Td>
        <JobStatusPill status={job.status} />
      </Table.Td>
      <Table.Td className={classes["quiet"] ?? ""}>
        <TimeAgo at={job.received_at} />
      </Table.Td>
      <Table.Td ta="right" className={classes["quiet"] ?? ""}>
        {formatDuration(job.duration_ms, i18n.language)}
      </Table.Td>
      <Table.Td>
        <Text fz="sm">{words.provider(job.provider)}</Text>
        <Text fz="xs" c="dimmed">
          {words.operation(job.provider, job.operation)}
        </Text>
      </Table.Td>
      <Table.Td maw="22rem">
        <WhatWentWrong job={job} />
      </Table.Td>
    </Table.Tr>
  );
}

function JobCard({ job }: { job: JobRow }) {
  const { i18n } = useTranslation();
  const words = useOperationWords();
  return (
    <Card component="li" padding="sm" className={classes["row"] ?? ""}>
      <Group wrap="nowrap" align="flex-start" gap="sm">
        <Thumbnail job={job} />
        <Stack gap={4} flex={1} miw={0}>
          <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
            <Box miw={0}>
              <JobLink job={job} />
              <SourceLine job={job} brief />
            </Box>
            <JobStatusPill status={job.status} />
          </Group>
          <Text fz="sm" c="dimmed">
            <TimeAgo at={job.received_at} /> · {formatDuration(job.duration_ms, i18n.language)} ·{" "}
            {words.provider(job.provider)}
          </Text>
          <WhatWentWrong job={job} />
        </Stack>
      </Group>
    </Card>
  );
}

function Thumbnail({ job }: { job: JobRow }) {
  return (
    <Box w="3.5rem" className={classes["thumbnail"] ?? ""}>
      {/* The row's link names the job; the picture says nothing more to who cannot see it. */}
      <Photo src={job.thumbnail_url} alt="" />
    </Box>
  );
}

function JobLink({ job }: { job: JobRow }) {
  const { t } = useTranslation("jobs");
  const short = job.job_id.slice(0, 8);
  const name = job.slot_id === null ? t("noSlot") : job.slot_display_name;
  return (
    <Text
      component={Link}
      to={`/jobs/${job.job_id}`}
      className={classes["link"] ?? ""}
      aria-label={`${name}: ${t("openJob", { id: short })}`}
      fz="sm"
      fw={650}
    >
      {name}
    </Text>
  );
}

/** Who sent it, and unless `brief` the beginning of its id. */
function SourceLine({ job, brief = false }: { job: JobRow; brief?: boolean }): ReactNode {
  const { t } = useTranslation("jobs");
  const Icon = SOURCE_ICONS[job.source];
  return (
    <Group gap={4} c="dimmed" wrap="nowrap">
      <Icon size={14} stroke={1.7} aria-hidden />
      <Text fz="xs">
        {t(`source.${job.source}`)}
        {!brief && (
          <>
            {" · "}
            <span className={classes["id"]}>{job.job_id.slice(0, 8)}</span>
          </>
        )}
      </Text>
    </Group>
  );
}

function WhatWentWrong({ job }: { job: JobRow }): ReactNode {
  const { t } = useTranslation("jobs");
  const words = useFailureWords();
  const origin = job.result_origin;
  return (
    <>
      {job.failure_reason && <Text fz="sm">{words(job.failure_reason).title}</Text>}
      {(origin === "late" || origin === "original") && (
        <Text fz="xs" c="dimmed">
          {t(`origin.${origin}`)}
        </Text>
      )}
    </>
  );
}
