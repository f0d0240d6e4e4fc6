import { Group, Stack, Text } from "@mantine/core";
import { IconArrowRight, IconUsers } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Pill } from "@/components/status-pill";
import classes from "./change-list.module.css";
import type { Change, SlotValues } from "./draft";
import type { ValueWords } from "./use-value-words";

interface ChangeListProps {
  changes: readonly Change[];
  words: ValueWords;
  before: SlotValues;
  after: SlotValues;
  /** Names of the two sides for readers of the screen. */
  labels: readonly [before: string, after: string];
  /** Paths to point out, as changed by both. */
  marked?: ReadonlySet<string>;
}

/** Letters on both sides together that no longer fit beside each other. */
const LONG = 70;

/** What differs between two sets of values: name, before, after. */
export function ChangeList({ changes, words, before, after, labels, marked }: ChangeListProps) {
  const { t } = useTranslation("slot");
  return (
    <Stack component="ul" gap="xs" p={0} m={0} className={classes["list"] ?? ""}>
      {changes.map((change) => {
        const from = words.value(change.path, change.before, before);
        const to = words.value(change.path, change.after, after);
        return (
          <li key={change.path} className={classes["change"]}>
            <Group gap="xs" justify="space-between">
              <Text fz="sm" fw={600}>
                {words.name(change.path, after)}
              </Text>
              {marked?.has(change.path) && <Pill tone="warn" icon={IconUsers} text={t("conflict.both")} />}
            </Group>
            {change.path !== "ingest_password" && (
              <div className={classes["values"]} data-long={from.length + to.length > LONG}>
                <Value label={labels[0]} text={from} />
                <IconArrowRight size={16} aria-hidden className={classes["arrow"]} />
                <Value label={labels[1]} text={to} />
              </div>
            )}
          </li>
        );
      })}
    </Stack>
  );
}

function Value({ label, text }: { label: string; text: string }) {
  return (
    <Text component="span" fz="sm" className={classes["value"] ?? ""}>
      <span className="visually-hidden">{label}: </span>
      {/^#[0-9A-Fa-f]{6}$/.test(text) && (
        <span className={classes["swatch"]} style={{ backgroundColor: text }} aria-hidden="true" />
      )}
      {text}
    </Text>
  );
}
