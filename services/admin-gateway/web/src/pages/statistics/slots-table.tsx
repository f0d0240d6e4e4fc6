import { Anchor, Card, Group, Table, Text, Title, UnstyledButton } from "@mantine/core";
import { IconAlertTriangle, IconArrowDown, IconArrowsSort, IconArrowUp } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { SlotsStatistics } from "@/api/types";
import { formatCount, formatDuration, formatRate } from "@/components/figures/format";
import { judgeSuccess, judgeTimeouts, type Verdict } from "@/components/figures/goals";
import { useFailureWords } from "@/components/jobs/failure-words";
import { EmptyState } from "@/components/states";
import { TimeAgo } from "@/components/time-ago";
import { BY_SLOT, nextSorting, type SortColumn, type Sorting, sortSlots } from "./slots-order";
import classes from "./slots-table.module.css";

type Slots = SlotsStatistics["slots"];

/** The active slots side by side, in the order the reader chose. */
export function SlotsTable({ slots }: { slots: Slots }) {
  const { t } = useTranslation("statistics");
  const [sorting, setSorting] = useState<Sorting>(BY_SLOT);
  const heads: readonly { column: SortColumn; name: string }[] = [
    { column: "slot_id", name: t("slots.slot") },
    { column: "jobs_last_window", name: t("slots.jobs") },
    { column: "success_rate", name: t("slots.success") },
    { column: "timeout_rate", name: t("slots.timeouts") },
    { column: "provider_errors_last_window", name: t("slots.providerErrors") },
    { column: "p50_ms", name: t("slots.p50") },
    { column: "p95_ms", name: t("slots.p95") },
    { column: "last_success_at", name: t("slots.lastSuccess") },
  ];
  return (
    <Card component="section" aria-labelledby="slots-statistics" p={0}>
      <Title order={2} size="h3" id="slots-statistics" p="lg" pb="xs">
        {t("slots.title")}
      </Title>
      {slots.length === 0 ? (
        <EmptyState title={t("slots.empty")} />
      ) : (
        <Table.ScrollContainer minWidth="58rem" type="native" tabIndex={0}>
          <Table
            verticalSpacing="xs"
            horizontalSpacing="md"
            highlightOnHover
            className={classes["table"] ?? ""}
          >
            <Table.Thead>
              <Table.Tr>
                {heads.map(({ column, name }) => (
                  <SortableHead
                    key={column}
                    name={name}
                    column={column}
                    sorting={sorting}
                    onSort={() => setSorting((before) => nextSorting(before, column))}
                  />
                ))}
                <Table.Th>{t("slots.lastError")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {sortSlots(slots, sorting).map((slot) => (
                <SlotRow key={slot.slot_id} slot={slot} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Card>
  );
}

function isNumeric(column: SortColumn): boolean {
  return column !== "slot_id" && column !== "last_success_at";
}

interface SortableHeadProps {
  name: string;
  column: SortColumn;
  sorting: Sorting;
  onSort: () => void;
}

function SortableHead({ name, column, sorting, onSort }: SortableHeadProps) {
  const { t } = useTranslation("statistics");
  const active = sorting.column === column;
  const Icon = active ? (sorting.descending ? IconArrowDown : IconArrowUp) : IconArrowsSort;
  return (
    <Table.Th aria-sort={active ? (sorting.descending ? "descending" : "ascending") : "none"}>
      <UnstyledButton
        className={classes["sort"] ?? ""}
        data-active={active}
        data-numeric={isNumeric(column)}
        title={t("slots.sortBy", { column: name })}
        onClick={onSort}
      >
        {name}
        <Icon size={14} aria-hidden />
      </UnstyledButton>
    </Table.Th>
  );
}

function SlotRow({ slot }: { slot: Slots[number] }) {
  const { t, i18n } = useTranslation("statistics");
  const words = useFailureWords();
  return (
    <Table.Tr>
      <Table.Th scope="row" fw={500}>
        <Anchor
          component={Link}
          to={`/jobs?slot=${slot.slot_id}`}
          fz="sm"
          fw={600}
          title={t("slots.jobsOf", { slot: slot.display_name })}
        >
          {slot.display_name}
        </Anchor>
      </Table.Th>
      <Table.Td ta="right">{formatCount(slot.jobs_last_window, i18n.language)}</Table.Td>
      <Table.Td ta="right">
        <Judged
          figure={formatRate(slot.success_rate, i18n.language, "down")}
          verdict={judgeSuccess(slot.success_rate)}
        />
      </Table.Td>
      <Table.Td ta="right">
        <Judged
          figure={formatRate(slot.timeout_rate, i18n.language, "up")}
          verdict={judgeTimeouts(slot.timeout_rate)}
        />
      </Table.Td>
      <Table.Td ta="right">{formatCount(slot.provider_errors_last_window, i18n.language)}</Table.Td>
      <Table.Td ta="right">{formatDuration(slot.p50_ms, i18n.language)}</Table.Td>
      <Table.Td ta="right">{formatDuration(slot.p95_ms, i18n.language)}</Table.Td>
      <Table.Td>
        <TimeAgo at={slot.last_success_at} />
      </Table.Td>
      <Table.Td>
        <Text fz="sm">{slot.last_error_reason ? words(slot.last_error_reason).title : ""}</Text>
      </Table.Td>
    </Table.Tr>
  );
}

/** A rate; one that misses its goal has a sign of it, not only another colour. */
function Judged({ figure, verdict }: { figure: string; verdict: Verdict }) {
  const { t } = useTranslation("statistics");
  if (verdict !== "missed") return <>{figure}</>;
  return (
    <Group component="span" gap={4} wrap="nowrap" justify="flex-end" className={classes["missed"] ?? ""}>
      <IconAlertTriangle size={14} role="img" aria-label={t("goals.missed")} />
      {figure}
    </Group>
  );
}
