import { Card, Group, Stack, Table, Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconCircleCheck, IconHandStop, IconLoader2, IconPlugOff } from "@tabler/icons-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { Worker } from "@/api/types";
import { CopyButton } from "@/components/copy-field";
import { formatCount } from "@/components/figures/format";
import { EmptyState } from "@/components/states";
import { Pill } from "@/components/status-pill";
import { TimeAgo } from "@/components/time-ago";
import { shortIdOf, stateOfWorker } from "./health";
import { useQueueName } from "./queue-name";
import classes from "./queues.module.css";

const STATES = {
  ready: { tone: "good", icon: IconCircleCheck },
  full: { tone: "info", icon: IconLoader2 },
  memory: { tone: "warn", icon: IconHandStop },
  cpu: { tone: "warn", icon: IconHandStop },
  free_memory: { tone: "warn", icon: IconHandStop },
  draining: { tone: "quiet", icon: IconHandStop },
  guarded: { tone: "warn", icon: IconHandStop },
} as const;

/** The processes that do the work. */
export function WorkersCard({ workers }: { workers: readonly Worker[] }) {
  const { t } = useTranslation("queues");
  const id = useId();
  const narrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  return (
    <Card component="section" aria-labelledby={id}>
      <Stack gap="md">
        <div>
          <Title order={2} size="h3" id={id}>
            {t("workers.title")}
          </Title>
          <Text fz="sm" c="dimmed" mt={4}>
            {t("workers.intro")}
          </Text>
        </div>
        {workers.length === 0 ? (
          <EmptyState icon={IconPlugOff} title={t("workers.empty.title")} text={t("workers.empty.text")} />
        ) : narrow ? (
          <ul className={classes["list"]}>
            {workers.map((worker) => (
              <WorkerItem key={worker.id} worker={worker} />
            ))}
          </ul>
        ) : (
          <WorkersTable workers={workers} />
        )}
      </Stack>
    </Card>
  );
}

function WorkersTable({ workers }: { workers: readonly Worker[] }) {
  const { t } = useTranslation("queues");
  return (
    <Table.ScrollContainer minWidth="54rem" type="native">
      <Table verticalSpacing="sm" className={classes["table"] ?? ""}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("workers.id")}</Table.Th>
            <Table.Th miw="13rem">{t("workers.state")}</Table.Th>
            <Table.Th>{t("workers.running")}</Table.Th>
            <Table.Th>{t("workers.queues")}</Table.Th>
            <Table.Th>{t("workers.seen")}</Table.Th>
            <Table.Th>{t("workers.started")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {workers.map((worker) => (
            <Table.Tr key={worker.id}>
              <Table.Td>
                <WorkerId id={worker.id} />
              </Table.Td>
              <Table.Td>
                <StatePill worker={worker} />
              </Table.Td>
              <Table.Td>
                <Load worker={worker} />
              </Table.Td>
              <Table.Td>
                <QueueNames worker={worker} />
              </Table.Td>
              <Table.Td>
                <TimeAgo at={worker.seen_at} />
              </Table.Td>
              <Table.Td>
                <TimeAgo at={worker.started_at} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function WorkerItem({ worker }: { worker: Worker }) {
  const { t } = useTranslation("queues");
  return (
    <li className={classes["worker"]}>
      <Stack gap={6} align="flex-start">
        <Group justify="space-between" w="100%" gap="xs">
          <WorkerId id={worker.id} />
          <StatePill worker={worker} />
        </Group>
        <Text fz="sm">
          {t("workers.running")}: <Load worker={worker} />
        </Text>
        <Text fz="sm" c="dimmed">
          <QueueNames worker={worker} />
        </Text>
        <Text fz="sm" c="dimmed">
          {t("workers.seen")}: <TimeAgo at={worker.seen_at} /> · {t("workers.started")}:{" "}
          <TimeAgo at={worker.started_at} />
        </Text>
      </Stack>
    </li>
  );
}

function WorkerId({ id }: { id: string }) {
  const { t } = useTranslation("queues");
  const short = shortIdOf(id);
  return (
    <Group gap={2} wrap="nowrap">
      <span className={classes["id"]} title={id}>
        {short}
      </span>
      <CopyButton value={id} what={t("workers.copyId", { id: short })} />
    </Group>
  );
}

function StatePill({ worker }: { worker: Worker }) {
  const { t } = useTranslation("queues");
  const state = stateOfWorker(worker);
  return (
    <Pill
      {...STATES[state]}
      text={t(`workerState.${state}`)}
      title={t(`workerStateHelp.${state}`, { guard: worker.guard ?? "" })}
    />
  );
}

function Load({ worker: { running, slots } }: { worker: Worker }) {
  const { t, i18n } = useTranslation("queues");
  const count = (value: number) => formatCount(value, i18n.language);
  return t("ofLimit", { running: count(running), limit: count(slots) });
}

function QueueNames({ worker: { queues } }: { worker: Worker }) {
  const nameOf = useQueueName();
  return queues.map((queue) => nameOf(queue)).join(", ");
}
