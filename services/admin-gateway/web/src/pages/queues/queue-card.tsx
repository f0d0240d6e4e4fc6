import { Anchor, Button, Card, Group, Progress, Stack, Text, Title } from "@mantine/core";
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconClockExclamation,
  IconLoader2,
  IconMoon,
  IconSkull,
} from "@tabler/icons-react";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Queue } from "@/api/types";
import { formatCount } from "@/components/figures/format";
import { Pill } from "@/components/status-pill";
import { TimeAgo, useNow } from "@/components/time-ago";
import { healthOf, usedShare } from "./health";
import { useQueueName } from "./queue-name";
import classes from "./queues.module.css";

const HEALTH = {
  unattended: { tone: "bad", icon: IconAlertTriangle },
  behind: { tone: "warn", icon: IconClockExclamation },
  deadLetters: { tone: "warn", icon: IconSkull },
  working: { tone: "info", icon: IconLoader2 },
  asleep: { tone: "quiet", icon: IconMoon },
  idle: { tone: "good", icon: IconCircleCheck },
} as const;

/** The queue whose work webhooks are; how each went is told on a page of theirs. */
const WEBHOOKS_QUEUE = "light";

interface QueueCardProps {
  queue: Queue;
  /** Asks for its dead tasks. */
  onDead: () => void;
}

/** How full a queue is and whether somebody works on it. */
export function QueueCard({ queue, onDead }: QueueCardProps) {
  const { t, i18n } = useTranslation("queues");
  const nameOf = useQueueName();
  const id = useId();
  const health = healthOf(queue, useNow());
  const name = nameOf(queue.name);
  const count = (value: number) => formatCount(value, i18n.language);
  return (
    <Card component="article" aria-labelledby={id}>
      <Stack gap="md" h="100%">
        <Group justify="space-between" align="flex-start" gap="xs">
          <div>
            <Title order={2} size="h3" id={id}>
              {name}
            </Title>
            {name !== queue.name && (
              <Text fz="xs" c="dimmed" ff="monospace">
                {queue.name}
              </Text>
            )}
          </div>
          <Pill {...HEALTH[health]} text={t(`health.${health}`)} title={t(`healthHelp.${health}`)} />
        </Group>
        <dl className={classes["figures"]}>
          <Figure name={t("figure.waiting")} value={count(queue.queued)}>
            {queue.oldest_at && (
              <>
                {t("oldest")} <TimeAgo at={queue.oldest_at} />
              </>
            )}
          </Figure>
          <Figure
            name={t("figure.running")}
            value={t("ofLimit", { running: count(queue.running), limit: count(queue.limit) })}
          >
            <Progress value={usedShare(queue)} size="sm" radius="xl" mt={6} aria-hidden />
          </Figure>
          <Figure name={t("figure.retrying")} value={count(queue.retrying)}>
            {laterWords(queue)}
          </Figure>
          <Figure name={t("figure.workers")} value={count(queue.workers)} />
        </dl>
        {queue.blocked > 0 && (
          <Text fz="sm" c="dimmed">
            {t("blocked", { count: queue.blocked })}
          </Text>
        )}
        {queue.name === WEBHOOKS_QUEUE && (
          <Anchor component={Link} to="/webhooks" fz="sm" fw={600}>
            {t("toWebhooks")}
          </Anchor>
        )}
        <Group mt="auto" justify="space-between" gap="xs" className={classes["dead"] ?? ""}>
          <Text fz="sm" c={queue.dead > 0 ? "" : "dimmed"} fw={queue.dead > 0 ? 600 : 400}>
            {queue.dead > 0 ? t("dead", { count: queue.dead, formatted: count(queue.dead) }) : t("noDead")}
          </Text>
          {queue.dead > 0 && (
            <Button size="xs" variant="default" aria-label={`${name}: ${t("lookAtDead")}`} onClick={onDead}>
              {t("lookAtDead")}
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  );

  /** Those that wait for their time without having failed. */
  function laterWords({ scheduled, retrying }: Queue): string | null {
    const later = scheduled - retrying;
    return later > 0 ? t("later", { count: later, formatted: count(later) }) : null;
  }
}

interface FigureProps {
  name: string;
  value: string;
  /** A word on it. */
  children?: ReactNode;
}

function Figure({ name, value, children }: FigureProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={classes["value"]}>{value}</dd>
      {children && <dd className={classes["note"]}>{children}</dd>}
    </div>
  );
}
