import { Anchor, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconConfetti, IconDatabase } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Overview, SlotsStatistics } from "@/api/types";
import { formatMegabytes } from "@/components/figures/format";
import { useFailureWords } from "@/components/jobs/failure-words";
import { EmptyState } from "@/components/states";
import { TimeAgo } from "@/components/time-ago";
import classes from "./failures-and-storage.module.css";

/** Shown until the reader asks for more. */
const FIRST = 8;

interface RecentFailuresProps {
  failures: SlotsStatistics["recent_failures"];
  slotName: (slotId: string) => string;
}

/** The window's last failures, each leading to its job. */
export function RecentFailures({ failures, slotName }: RecentFailuresProps) {
  const { t } = useTranslation("statistics");
  const { t: common } = useTranslation();
  const words = useFailureWords();
  const [all, setAll] = useState(false);
  return (
    <Card component="section" aria-labelledby="recent-failures">
      <Stack gap="sm">
        <Title order={2} size="h3" id="recent-failures">
          {t("failures.title")}
        </Title>
        {failures.length === 0 ? (
          <EmptyState icon={IconConfetti} title={t("failures.empty")} />
        ) : (
          <ul className={classes["list"]}>
            {failures
              .slice(0, all ? undefined : FIRST)
              .map(({ job_id, finished_at, slot_id, failure_reason, http_status }) => {
                const reason = words(failure_reason).title;
                return (
                  <li key={job_id} className={classes["item"]}>
                    <div>
                      <Anchor
                        component={Link}
                        to={`/jobs/${job_id}`}
                        fz="sm"
                        fw={600}
                        aria-label={t("failures.open", { slot: slotName(slot_id), reason })}
                      >
                        {reason}
                      </Anchor>
                      <Text fz="xs" c="dimmed">
                        {slotName(slot_id)}
                        {http_status ? ` · HTTP ${http_status}` : ""}
                      </Text>
                    </div>
                    <Text fz="sm" c="dimmed" className={classes["when"] ?? ""}>
                      <TimeAgo at={finished_at} />
                    </Text>
                  </li>
                );
              })}
          </ul>
        )}
        {!all && failures.length > FIRST && (
          <Group justify="center">
            <Button variant="default" size="xs" onClick={() => setAll(true)}>
              {common("more")}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

const KINDS = ["input", "template", "result", "preview", "temporary", "other"] as const;

/** What is stored, by kind, each with its share of the whole. */
export function Storage({ storage }: { storage: Overview["system"]["storage"] }) {
  const { t, i18n } = useTranslation("statistics");
  const total = storage.reduce((sum, { megabytes }) => sum + megabytes, 0);
  const nameOf = (kind: string) => {
    const known = KINDS.find((name) => name === kind);
    return known ? t(`storage.kind.${known}`) : kind;
  };
  return (
    <Card component="section" aria-labelledby="storage">
      <Stack gap="sm">
        <Title order={2} size="h3" id="storage">
          {t("storage.title")}
        </Title>
        {storage.length === 0 ? (
          <EmptyState icon={IconDatabase} title={t("storage.empty")} />
        ) : (
          <ul className={classes["list"]}>
            {storage.map(({ kind, objects, megabytes }) => (
              <li key={kind} className={classes["kind"]}>
                <Group justify="space-between" gap="xs" wrap="nowrap">
                  <Text fz="sm">{nameOf(kind)}</Text>
                  <Text fz="sm" c="dimmed">
                    {formatMegabytes(megabytes, i18n.language)} · {t("storage.objects", { count: objects })}
                  </Text>
                </Group>
                <div className={classes["bar"]} aria-hidden="true">
                  <span style={{ width: `${total > 0 ? (megabytes / total) * 100 : 0}%` }} />
                </div>
              </li>
            ))}
          </ul>
        )}
      </Stack>
    </Card>
  );
}
