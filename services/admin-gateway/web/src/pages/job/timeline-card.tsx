import { Card, Group, Stack, Text, Title } from "@mantine/core";
import { useInterval } from "@mantine/hooks";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { JobDetails } from "@/api/types";
import { type Fact, FactList } from "@/components/figures/fact-list";
import { formatDuration, formatInstant } from "@/components/figures/format";
import { timelineOf } from "./timeline";
import classes from "./timeline-card.module.css";

const TICK_MS = 500;
const NAMED = new Set([
  "upload",
  "queue",
  "fetch",
  "prepare",
  "provider",
  "check",
  "store",
  "running",
  "other",
]);

/** Where a job's time went: a bar in proportion, its pieces in words, and the instants. */
export function TimelineCard({ job }: { job: JobDetails }) {
  const { t, i18n } = useTranslation("jobs");
  const live = job.finished_at === null;
  const now = useClock(live);
  const timeline = timelineOf(job, now);
  const duration = (ms: number) => formatDuration(ms, i18n.language);
  const name = (kind: string) =>
    // Only known names are looked up; later stages show as they call themselves.
    NAMED.has(kind) ? t(`job.stage.${kind as "upload"}`) : t("job.stage.unknown", { stage: kind });
  const limit = timeline.limitMs === null ? null : duration(timeline.limitMs);
  const help = job.source === "api" ? "totalHelpProgram" : "totalHelp";
  const instants: Fact[] = [
    ...job.timeline.map(({ event, at }) => ({ name: eventName(event), value: instant(at) })),
    ...(job.deadline ? [{ name: t("job.timeline.deadline"), value: instant(job.deadline) }] : []),
    ...(job.late_until ? [{ name: t("job.timeline.late_until"), value: instant(job.late_until) }] : []),
  ];
  return (
    <Card>
      <Stack gap="md">
        <Group justify="space-between" gap="xs">
          <Title order={2} size="h3">
            {t("job.timeline.title")}
          </Title>
          <Text
            fz="sm"
            c="dimmed"
            {...(limit === null ? {} : { title: t(`job.timeline.${help}`, { limit }) })}
          >
            {limit === null
              ? duration(timeline.totalMs)
              : t("job.timeline.total", { total: duration(timeline.totalMs), limit })}
          </Text>
        </Group>
        <div className={classes["bar"]} aria-hidden="true">
          {timeline.pieces.map(({ kind, share }) => (
            <span
              key={kind}
              className={classes["piece"]}
              data-kind={NAMED.has(kind) ? kind : "other"}
              style={{ flexGrow: share }}
              title={name(kind)}
            />
          ))}
        </div>
        <ul className={classes["legend"]} aria-label={t("job.timeline.bar")}>
          {timeline.pieces.map(({ kind, milliseconds, share }) => (
            <li key={kind}>
              <span
                className={classes["dot"]}
                data-kind={NAMED.has(kind) ? kind : "other"}
                aria-hidden="true"
              />
              <span className={classes["name"]}>{name(kind)}</span>
              <span className={classes["figure"]}>
                {duration(milliseconds)}
                <span className={classes["share"]}>
                  {new Intl.NumberFormat(i18n.language, { style: "percent" }).format(share)}
                </span>
              </span>
            </li>
          ))}
        </ul>
        <FactList facts={instants} />
        {job.provider_calls > 0 && (
          <Text fz="sm" c="dimmed">
            {t("job.timeline.calls", { count: job.provider_calls })}
          </Text>
        )}
      </Stack>
    </Card>
  );

  function instant(at: string) {
    const since = Date.parse(at) - Date.parse(job.received_at);
    return (
      <>
        <time dateTime={at}>{formatInstant(at, i18n.language)}</time>
        {since > 0 && <span className={classes["since"]}> · +{duration(since)}</span>}
      </>
    );
  }

  function eventName(event: string): string {
    switch (event) {
      case "received":
      case "admitted":
      case "started":
      case "finished":
        return t(`job.timeline.${event}`);
      default:
        return event;
    }
  }
}

/** The time; it runs while `running`. */
function useClock(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  const { start, stop } = useInterval(() => setNow(Date.now()), TICK_MS);
  useEffect(() => {
    if (!running) return;
    start();
    return stop;
  }, [running, start, stop]);
  return now;
}
