import { ActionIcon, Anchor, Card, Group, Stack, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconCircleCheck, IconCircleX, IconHelpCircle } from "@tabler/icons-react";
import { Fragment, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { AuditEntry } from "@/api/types";
import { type Fact, FactList } from "@/components/figures/fact-list";
import { Pill } from "@/components/status-pill";
import { TimeAgo } from "@/components/time-ago";
import classes from "./entries.module.css";
import { addressOfTarget, knownAction, knownFact } from "./words";

const OUTCOMES = {
  done: { tone: "good", icon: IconCircleCheck },
  refused: { tone: "bad", icon: IconCircleX },
  unknown: { tone: "warn", icon: IconHelpCircle },
} as const;

/** Entries as a table; as cards where there is no room for one. */
export function Entries({ entries }: { entries: readonly AuditEntry[] }) {
  const { t } = useTranslation("audit");
  const narrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  if (narrow) {
    return (
      <Stack component="ul" gap="sm" className={classes["list"] ?? ""}>
        {entries.map((entry) => (
          <EntryCard key={entry.id} entry={entry} />
        ))}
      </Stack>
    );
  }
  return (
    <Card p={0}>
      <Table.ScrollContainer minWidth="52rem" type="native">
        <Table verticalSpacing="sm" horizontalSpacing="md" className={classes["table"] ?? ""}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("columns.when")}</Table.Th>
              <Table.Th>{t("columns.who")}</Table.Th>
              <Table.Th>{t("columns.what")}</Table.Th>
              <Table.Th>{t("columns.target")}</Table.Th>
              <Table.Th>{t("columns.outcome")}</Table.Th>
              <Table.Th w="4rem">{t("columns.facts")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {entries.map((entry) => (
              <EntryRows key={entry.id} entry={entry} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function EntryRows({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation("audit");
  const [open, setOpen] = useState(false);
  const facts = useFacts(entry);
  const id = `facts-${entry.id}`;
  return (
    <Fragment>
      <Table.Tr>
        <Table.Td className={classes["when"] ?? ""}>
          <TimeAgo at={entry.occurred_at} />
        </Table.Td>
        <Table.Td>
          <Text fz="sm" fw={600}>
            {entry.actor}
          </Text>
          <Text fz="xs" c="dimmed">
            {entry.address}
          </Text>
        </Table.Td>
        <Table.Td>
          <Action action={entry.action} />
        </Table.Td>
        <Table.Td>
          <Target entry={entry} />
        </Table.Td>
        <Table.Td>
          <Outcome entry={entry} />
        </Table.Td>
        <Table.Td>
          {facts.length > 0 && <FactsToggle open={open} controls={id} onToggle={() => setOpen(!open)} />}
        </Table.Td>
      </Table.Tr>
      {open && (
        <Table.Tr id={id} className={classes["facts"] ?? ""}>
          <Table.Td colSpan={6} aria-label={t("columns.facts")}>
            <FactList facts={facts} />
          </Table.Td>
        </Table.Tr>
      )}
    </Fragment>
  );
}

function EntryCard({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation("audit");
  const [open, setOpen] = useState(false);
  const facts = useFacts(entry);
  const id = `facts-${entry.id}`;
  return (
    <Card component="li" padding="md">
      <Stack gap="xs">
        <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
          <Action action={entry.action} />
          <OutcomePill entry={entry} />
        </Group>
        <Refusal entry={entry} />
        <Target entry={entry} />
        <Group justify="space-between" gap="xs" wrap="nowrap">
          <Text fz="sm" c="dimmed">
            {entry.actor} · {t("from", { address: entry.address })} · <TimeAgo at={entry.occurred_at} />
          </Text>
          {facts.length > 0 && <FactsToggle open={open} controls={id} onToggle={() => setOpen(!open)} />}
        </Group>
        {open && (
          <div id={id}>
            <FactList facts={facts} />
          </div>
        )}
      </Stack>
    </Card>
  );
}

/** An entry's facts, named in words where there are any. */
function useFacts(entry: AuditEntry): readonly Fact[] {
  const { t } = useTranslation("audit");
  return Object.entries(entry.facts).map(([name, value]) => {
    const known = knownFact(name);
    return {
      name: known ? t(`fact.${known}`) : name,
      value:
        name === "job_id" ? (
          <Anchor component={Link} to={`/jobs/${value}`}>
            {value}
          </Anchor>
        ) : (
          value
        ),
    };
  });
}

function Action({ action }: { action: string }) {
  const { t } = useTranslation("audit");
  const known = knownAction(action);
  return (
    <Text fz="sm" fw={600} title={action}>
      {known ? t(`action.${known}`) : action}
    </Text>
  );
}

function Target({ entry: { action, target } }: { entry: AuditEntry }) {
  const address = addressOfTarget(action, target);
  if (address === null) {
    return (
      <Text fz="sm" className={classes["target"] ?? ""}>
        {target}
      </Text>
    );
  }
  return (
    <Anchor component={Link} to={address} fz="sm" className={classes["target"] ?? ""}>
      {target}
    </Anchor>
  );
}

function Outcome({ entry }: { entry: AuditEntry }) {
  return (
    <Stack gap={2} align="flex-start">
      <OutcomePill entry={entry} />
      <Refusal entry={entry} />
    </Stack>
  );
}

function OutcomePill({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation("audit");
  return (
    <span className={classes["outcome"]} title={entry.outcome === "unknown" ? t("unknownHelp") : undefined}>
      <Pill {...OUTCOMES[entry.outcome]} text={t(`outcome.${entry.outcome}`)} />
    </span>
  );
}

/** Why it was refused; in words, where we have any. */
function Refusal({ entry: { refusal } }: { entry: AuditEntry }) {
  const { t, i18n } = useTranslation("errors");
  if (!refusal) return null;
  return (
    <Text fz="xs" c="dimmed" maw="18rem">
      {i18n.exists(`errors:${refusal}`) ? t(refusal as "unknown") : refusal /* Just found to exist. */}
    </Text>
  );
}

interface FactsToggleProps {
  open: boolean;
  controls: string;
  onToggle: () => void;
}

function FactsToggle({ open, controls, onToggle }: FactsToggleProps) {
  const { t } = useTranslation("audit");
  return (
    <ActionIcon
      variant="subtle"
      size="lg"
      radius="xl"
      aria-expanded={open}
      {...(open ? { "aria-controls": controls } : {})}
      aria-label={open ? t("hideFacts") : t("showFacts")}
      onClick={onToggle}
    >
      <IconChevronDown size={18} className={classes["chevron"] ?? ""} data-open={open} aria-hidden />
    </ActionIcon>
  );
}
