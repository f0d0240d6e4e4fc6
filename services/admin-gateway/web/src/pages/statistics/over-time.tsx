import {
  Box,
  Button,
  Card,
  Group,
  Select,
  SimpleGrid,
  Skeleton,
  Stack,
  Table,
  Text,
  Title,
} from "@mantine/core";
import { IconChartBar, IconChartHistogram, IconTable } from "@tabler/icons-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Series, SlotsStatistics } from "@/api/types";
import { formatCount, formatDuration, NO_FIGURE } from "@/components/figures/format";
import { EmptyState, ErrorState } from "@/components/states";
import { type ChartPoint, chartPoints, hasJobs } from "./chart-data";
import { useSeries } from "./use-statistics";
import type { WindowMinutes } from "./windows";

const OutcomesChart = lazy(() => import("./charts").then((charts) => ({ default: charts.OutcomesChart })));
const DurationsChart = lazy(() => import("./charts").then((charts) => ({ default: charts.DurationsChart })));

interface OverTimeProps {
  window: WindowMinutes;
  slots: SlotsStatistics["slots"];
}

/** The window step by step, of all slots or one, as charts or as a table. */
export function OverTime({ window, slots }: OverTimeProps) {
  const { t, i18n } = useTranslation("statistics");
  const [slotId, setSlotId] = useState<string | null>(null);
  const [asTable, setAsTable] = useState(false);
  const series = useSeries(window, slotId);
  return (
    <Card component="section" aria-labelledby="over-time">
      <Stack gap="md">
        <Group justify="space-between" gap="sm">
          <Title order={2} size="h3" id="over-time">
            {t("charts.title")}
          </Title>
          <Group gap="sm">
            <Select
              aria-label={t("charts.slot")}
              placeholder={t("charts.allSlots")}
              data={slots.map((slot) => ({ value: slot.slot_id, label: slot.display_name }))}
              value={slotId}
              onChange={setSlotId}
              clearable
              searchable
              radius="xl"
              w="15rem"
            />
            <Button
              variant="default"
              aria-pressed={asTable}
              leftSection={
                asTable ? <IconChartBar size={18} aria-hidden /> : <IconTable size={18} aria-hidden />
              }
              onClick={() => setAsTable(!asTable)}
            >
              {asTable ? t("charts.asChart") : t("charts.asTable")}
            </Button>
          </Group>
        </Group>
        {series.isPending && <Skeleton height={260} radius="md" />}
        {series.isError && !series.data && (
          <ErrorState error={series.error} retry={() => void series.refetch()} />
        )}
        {series.data && (
          <Steps series={series.data} window={window} asTable={asTable} language={i18n.language} />
        )}
      </Stack>
    </Card>
  );
}

interface StepsProps {
  series: Series;
  window: WindowMinutes;
  asTable: boolean;
  language: string;
}

function Steps({ series, window, asTable, language }: StepsProps) {
  const { t } = useTranslation("statistics");
  if (!hasJobs(series.steps)) return <EmptyState icon={IconChartHistogram} title={t("charts.empty")} />;
  const points = chartPoints(series.steps, window, language);
  return (
    <Stack gap="sm">
      {asTable ? (
        <StepsTable series={series} points={points} language={language} />
      ) : (
        <SimpleGrid cols={{ base: 1, lg: 2 }} spacing="xl">
          <Figure title={t("charts.outcomes")}>
            <OutcomesChart points={points} />
          </Figure>
          <Figure title={t("charts.durations")}>
            <DurationsChart points={points} />
          </Figure>
        </SimpleGrid>
      )}
      <Text fz="sm" c="dimmed">
        {t("charts.step", { step: formatDuration(series.step_seconds * 1000, language) })}
      </Text>
    </Stack>
  );
}

function Figure({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Box component="figure" m={0}>
      <Text component="figcaption" fz="sm" fw={600} mb="xs">
        {title}
      </Text>
      {/* The same figures are a table at the press of a button. */}
      <div role="img" aria-label={title}>
        <Suspense fallback={<Skeleton height={256} radius="md" />}>{children}</Suspense>
      </div>
    </Box>
  );
}

function StepsTable({
  series,
  points,
  language,
}: Pick<StepsProps, "series" | "language"> & { points: readonly ChartPoint[] }) {
  const { t } = useTranslation("statistics");
  return (
    <Table.ScrollContainer minWidth="36rem" maxHeight="28rem" type="native" tabIndex={0}>
      <Table stickyHeader highlightOnHover>
        <Table.Caption>{t("charts.outcomes")}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("charts.time")}</Table.Th>
            <Table.Th ta="right">{t("charts.success")}</Table.Th>
            <Table.Th ta="right">{t("charts.timeouts")}</Table.Th>
            <Table.Th ta="right">{t("charts.failures")}</Table.Th>
            <Table.Th ta="right">{t("charts.p50")}</Table.Th>
            <Table.Th ta="right">{t("charts.p95")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {series.steps.map((step, index) => (
            <Table.Tr key={step.starts_at}>
              <Table.Th scope="row" fw={500}>
                {points[index]?.time ?? NO_FIGURE}
              </Table.Th>
              <Table.Td ta="right">{formatCount(step.success, language)}</Table.Td>
              <Table.Td ta="right">{formatCount(step.timeouts, language)}</Table.Td>
              <Table.Td ta="right">{formatCount(step.failures, language)}</Table.Td>
              <Table.Td ta="right">{formatDuration(step.p50_ms, language)}</Table.Td>
              <Table.Td ta="right">{formatDuration(step.p95_ms, language)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
