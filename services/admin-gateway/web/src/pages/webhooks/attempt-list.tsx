import { Group, Stack, Text, Title } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { DeliveryAttempt } from "@/api/types";
import { formatDuration } from "@/components/figures/format";
import { TimeAgo } from "@/components/time-ago";
import { errorOf } from "@/components/webhooks/delivery-words";
import classes from "./webhooks.module.css";

interface AttemptListProps {
  /** The latest, newest first. */
  attempts: readonly DeliveryAttempt[];
  /** How many there were. */
  made: number;
}

/** How a message was sent, time by time. */
export function AttemptList({ attempts, made }: AttemptListProps) {
  const { t } = useTranslation("webhooks");
  const id = useId();
  return (
    <Stack component="section" gap="sm" aria-labelledby={id}>
      <Title order={3} size="sm" id={id}>
        {t("attempts.title")}
      </Title>
      {attempts.length === 0 ? (
        <Text fz="sm" c="dimmed">
          {t("attempts.none")}
        </Text>
      ) : (
        <ul className={classes["list"]} aria-label={t("attempts.list")}>
          {attempts.map((attempt) => (
            <Attempt key={attempt.number} attempt={attempt} />
          ))}
        </ul>
      )}
      {made > attempts.length && attempts.length > 0 && (
        <Text fz="sm" c="dimmed">
          {t("attempts.latest", { count: attempts.length })}
        </Text>
      )}
    </Stack>
  );
}

function Attempt({ attempt }: { attempt: DeliveryAttempt }) {
  const { t, i18n } = useTranslation("webhooks");
  const { number, status, error, started_at, duration_ms } = attempt;
  const known = errorOf(error);
  return (
    <li className={classes["attempt"]} data-tone={known === "none" ? "good" : "bad"}>
      <Group justify="space-between" gap="xs" align="baseline">
        <Text fz="sm" fw={600}>
          {known === "other" ? t("error.other", { error: error ?? "" }) : t(`error.${known}`)}
          {status !== null && `: ${t("answered", { status })}`}
        </Text>
        <Text fz="sm" c="dimmed">
          <TimeAgo at={started_at} />
        </Text>
      </Group>
      <Text fz="xs" c="dimmed">
        {t("attempts.number", { number })} · {formatDuration(duration_ms, i18n.language)}
      </Text>
    </li>
  );
}
