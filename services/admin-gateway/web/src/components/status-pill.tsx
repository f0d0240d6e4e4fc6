import { Badge } from "@mantine/core";
import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClockExclamation,
  IconLoader2,
  IconPower,
} from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { JobStatus, SlotState } from "@/api/types";
import classes from "./status-pill.module.css";

const SLOT = {
  active: { tone: "good", icon: IconCircleCheck },
  off: { tone: "quiet", icon: IconPower },
  busy: { tone: "info", icon: IconLoader2 },
  delayed: { tone: "warn", icon: IconClockExclamation },
  failing: { tone: "bad", icon: IconCircleX },
} as const;

const JOB = {
  pending: { tone: "quiet", icon: IconCircleDashed },
  running: { tone: "info", icon: IconLoader2 },
  done: { tone: "good", icon: IconCircleCheck },
  failed: { tone: "bad", icon: IconCircleX },
  timeout: { tone: "warn", icon: IconClockExclamation },
  cancelled: { tone: "quiet", icon: IconCircleX },
} as const;

/** How a slot is; never by colour alone. */
export function SlotStatePill({ state }: { state: SlotState }) {
  const { t } = useTranslation();
  return <Pill {...SLOT[state]} text={t(`slotState.${state}`)} title={t(`slotStateHelp.${state}`)} />;
}

/** Where a job is. */
export function JobStatusPill({ status }: { status: JobStatus }) {
  const { t } = useTranslation();
  return <Pill {...JOB[status]} text={t(`jobStatus.${status}`)} />;
}

interface PillProps {
  tone: "good" | "quiet" | "info" | "warn" | "bad";
  icon: typeof IconCircleCheck;
  text: string;
  title?: string;
}

export function Pill({ tone, icon: Icon, text, title }: PillProps) {
  return (
    <Badge
      className={classes["pill"] ?? ""}
      data-tone={tone}
      variant="transparent"
      leftSection={<Icon size={15} stroke={2} aria-hidden />}
      title={title}
    >
      {text}
    </Badge>
  );
}
