import { Card, SimpleGrid, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Overview } from "@/api/types";
import { formatCount, formatDuration, formatMegabytes } from "@/components/figures/format";
import classes from "./totals.module.css";

interface Tile {
  readonly name: string;
  readonly figure: string;
  readonly help?: string;
}

/** The window in a few figures. */
export function Totals({ overview: { system } }: { overview: Overview }) {
  const { t, i18n } = useTranslation("statistics");
  const count = (value: number) => formatCount(value, i18n.language);
  const tiles: Tile[] = [
    {
      name: t("totals.jobs"),
      figure: count(system.jobs_last_window),
      help: t("totals.jobsHelp", { total: count(system.jobs_total) }),
    },
    { name: t("totals.success"), figure: count(system.success_last_window) },
    { name: t("durations.p50"), figure: formatDuration(system.p50_ms, i18n.language) },
    { name: t("durations.p95"), figure: formatDuration(system.p95_ms, i18n.language) },
    {
      name: t("totals.timeouts"),
      figure: count(system.timeouts_last_window),
      help: t("totals.timeoutsHelp"),
    },
    { name: t("totals.failures"), figure: count(system.failures_last_window) },
    { name: t("totals.providerErrors"), figure: count(system.provider_errors_last_window) },
    { name: t("totals.storage"), figure: formatMegabytes(system.storage_usage_mb, i18n.language) },
  ];
  return (
    <SimpleGrid component="dl" cols={{ base: 2, sm: 4 }} spacing="md" m={0}>
      {tiles.map(({ name, figure, help }) => (
        <Card key={name} padding="md" className={classes["tile"] ?? ""}>
          <Text component="dt" fz="sm" c="dimmed">
            {name}
          </Text>
          <dd className={classes["value"]}>
            <span className={classes["figure"]}>{figure}</span>
            {help && (
              <Text component="span" fz="xs" c="dimmed">
                {help}
              </Text>
            )}
          </dd>
        </Card>
      ))}
    </SimpleGrid>
  );
}
