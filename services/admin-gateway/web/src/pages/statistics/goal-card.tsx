import { Card, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconMinus } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { formatRate } from "@/components/figures/format";
import type { Verdict } from "@/components/figures/goals";
import { Pill } from "@/components/status-pill";
import classes from "./goal-card.module.css";

const VERDICTS = {
  met: { tone: "good", icon: IconCircleCheck },
  missed: { tone: "bad", icon: IconAlertTriangle },
  unknown: { tone: "quiet", icon: IconMinus },
} as const;

interface GoalCardProps {
  name: string;
  goalText: string;
  rate: number | null;
  goal: number;
  verdict: Verdict;
  /** Which way the rate is rounded; see `formatRate`. */
  rounding: "down" | "up";
  /** The rate at the bar's right end: a goal of 5 % would be lost on a bar of 100 %. */
  full: number;
}

/** A rate against its goal: as a figure, as words, and as a bar with a mark at the goal. */
export function GoalCard({ name, goalText, rate, goal, verdict, rounding, full }: GoalCardProps) {
  const { t, i18n } = useTranslation("statistics");
  const figure = formatRate(rate, i18n.language, rounding);
  const words = t(`goals.${verdict}`);
  return (
    <Card>
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Text fw={650}>{name}</Text>
          <Pill {...VERDICTS[verdict]} text={words} />
        </Group>
        <Group justify="space-between" align="baseline" gap="xs">
          <span className={classes["figure"]}>{figure}</span>
          <Text fz="sm" c="dimmed">
            {goalText}
          </Text>
        </Group>
        <div
          className={classes["bar"]}
          role="img"
          aria-label={t("goals.meter", { name, rate: figure, goal: goalText, verdict: words })}
        >
          <span
            className={classes["fill"]}
            data-verdict={verdict}
            style={{ width: `${Math.min(1, (rate ?? 0) / full) * 100}%` }}
          />
          <span className={classes["mark"]} style={{ left: `${(goal / full) * 100}%` }} />
        </div>
      </Stack>
    </Card>
  );
}
