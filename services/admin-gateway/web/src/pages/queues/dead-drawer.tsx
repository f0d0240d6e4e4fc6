import { Anchor, Button, Card, Drawer, Group, Stack, Text } from "@mantine/core";
import { IconCheck, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DeadTask } from "@/api/types";
import { confirm } from "@/components/confirm";
import { type Fact, FactList } from "@/components/figures/fact-list";
import { useFailureWords } from "@/components/jobs/failure-words";
import { LoadingRows } from "@/components/loading";
import { EmptyState, ErrorState } from "@/components/states";
import { TimeAgo } from "@/components/time-ago";
import { useQueueName } from "./queue-name";
import classes from "./queues.module.css";
import { kindOf, reasonOf } from "./task-words";
import { type Decision, useDeadTasks, useDecision } from "./use-queues";

interface DeadDrawerProps {
  /** Whose dead tasks are shown; null: the drawer is closed. */
  queue: string | null;
  onClose: () => void;
}

/** The tasks of a queue whose attempts are used up, to be decided on. */
export function DeadDrawer({ queue, onClose }: DeadDrawerProps) {
  const { t } = useTranslation("queues");
  const nameOf = useQueueName();
  return (
    <Drawer
      opened={queue !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={queue === null ? "" : t("deadTasks.title", { queue: nameOf(queue) })}
      styles={{ title: { fontSize: "1.0625rem", fontWeight: 650 } }}
      closeButtonProps={{ "aria-label": t("close", { ns: "common" }) }}
    >
      {queue !== null && <DeadTasks queue={queue} />}
    </Drawer>
  );
}

function DeadTasks({ queue }: { queue: string }) {
  const { t } = useTranslation("queues");
  const dead = useDeadTasks(queue);
  const list = useRef<HTMLUListElement>(null);
  const tasks = dead.data?.pages.flatMap((page) => page.tasks) ?? [];
  if (dead.isPending) return <LoadingRows rows={3} height={180} />;
  return (
    <Stack gap="md">
      <Text fz="sm" c="dimmed">
        {t("deadTasks.intro")}
      </Text>
      {dead.isError && <ErrorState error={dead.error} retry={() => void dead.refetch()} />}
      {dead.data && tasks.length === 0 && (
        <EmptyState icon={IconCheck} title={t("deadTasks.empty.title")} text={t("deadTasks.empty.text")} />
      )}
      {/* Takes the focus of the button that leaves with its task. */}
      <ul ref={list} tabIndex={-1} aria-label={t("deadTasks.list")} className={classes["list"]}>
        {tasks.map((task) => (
          <DeadTaskItem key={task.task_id} task={task} onDecided={() => list.current?.focus()} />
        ))}
      </ul>
      {dead.hasNextPage && (
        <Group justify="center">
          <Button
            variant="default"
            loading={dead.isFetchingNextPage}
            onClick={() => void dead.fetchNextPage()}
          >
            {t("more", { ns: "common" })}
          </Button>
        </Group>
      )}
    </Stack>
  );
}

interface DeadTaskItemProps {
  task: DeadTask;
  /** It was decided on, and is about to leave the list. */
  onDecided: () => void;
}

function DeadTaskItem({ task, onDecided }: DeadTaskItemProps) {
  const { t } = useTranslation("queues");
  const decide = useDecision(onDecided);
  const kind = kindOf(task.kind);
  const id = task.task_id.slice(0, 8);
  const ask = async (decision: Decision) => {
    const sure = await confirm({
      title: t(`${decision}.title`),
      text: t(`${decision}.text`),
      confirm: t(`${decision}.button`),
      destructive: decision === "drop",
    });
    if (sure) decide.mutate({ decision, taskId: task.task_id });
  };
  return (
    <Card component="li" padding="md">
      <Stack gap="sm">
        <Group justify="space-between" gap="xs" align="baseline">
          <Text fw={650}>{kind ? t(`kind.${kind}`) : task.kind}</Text>
          <Text fz="sm" c="dimmed">
            <TimeAgo at={task.finished_at ?? task.created_at} />
          </Text>
        </Group>
        <Why task={task} />
        <FactList facts={useFacts(task)} />
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={16} aria-hidden />}
            loading={decide.isPending && decide.variables.decision === "requeue"}
            disabled={decide.isPending}
            aria-label={`${t("requeue.button")}: ${t("deadTasks.task", { id })}`}
            onClick={() => void ask("requeue")}
          >
            {t("requeue.button")}
          </Button>
          <Button
            size="xs"
            variant="subtle"
            className={classes["drop"] ?? ""}
            leftSection={<IconTrash size={16} aria-hidden />}
            loading={decide.isPending && decide.variables.decision === "drop"}
            disabled={decide.isPending}
            aria-label={`${t("drop.button")}: ${t("deadTasks.task", { id })}`}
            onClick={() => void ask("drop")}
          >
            {t("drop.button")}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

/** Why it died: in words where there are any, and as the platform said it. */
function Why({ task: { reason, message } }: { task: DeadTask }) {
  const { t } = useTranslation("queues");
  const failure = useFailureWords();
  const known = reasonOf(reason ?? "");
  const title =
    known.by === "engine"
      ? t(`reason.${known.key}`)
      : known.by === "photo"
        ? failure(known.key).title
        : t("reason.other");
  return (
    <div className={classes["message"]}>
      <Text fz="sm" fw={600}>
        {title}{" "}
        {reason && (
          <Text span className={classes["id"] ?? ""} c="dimmed">
            {reason}
          </Text>
        )}
      </Text>
      {message}
    </div>
  );
}

function useFacts(task: DeadTask): readonly Fact[] {
  const { t } = useTranslation("queues");
  return [
    {
      name: t("deadTasks.attempts"),
      value: t("deadTasks.attemptsValue", { failures: task.failures, most: task.max_attempts }),
    },
    ...(task.stage ? [{ name: t("deadTasks.stage"), value: task.stage }] : []),
    { name: t("deadTasks.submitted"), value: <TimeAgo at={task.created_at} /> },
    ...(task.client_id ? [{ name: t("deadTasks.client"), value: <Id>{task.client_id}</Id> }] : []),
    ...(task.job_id
      ? [
          {
            name: t("deadTasks.job"),
            value: (
              <Anchor component={Link} to={`/jobs/${task.job_id}`} className={classes["id"] ?? ""}>
                {task.job_id}
              </Anchor>
            ),
          },
        ]
      : []),
    { name: t("deadTasks.id"), value: <Id>{task.task_id}</Id> },
  ];
}

function Id({ children }: { children: string }) {
  return <span className={classes["id"]}>{children}</span>;
}
