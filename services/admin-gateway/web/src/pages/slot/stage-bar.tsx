import { Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { formatDuration } from "@/components/figures/format";
import classes from "./stage-bar.module.css";
import type { StagePiece } from "./stages";

const NAMED = ["upload", "queue", "fetch", "prepare", "provider", "check", "store", "other"] as const;

/** Where the time of a run went: a bar, and the same in words. */
export function StageBar({ pieces }: { pieces: readonly StagePiece[] }) {
  const { t, i18n } = useTranslation(["slot", "jobs"]);
  const name = (stage: string) => {
    const named = NAMED.find((each) => each === stage);
    return named ? t(`jobs:job.stage.${named}`) : t("jobs:job.stage.unknown", { stage });
  };
  return (
    <Stack gap="xs">
      <Text fw={600} fz="sm">
        {t("test.stages")}
      </Text>
      <div className={classes["bar"]} aria-hidden="true">
        {pieces.map(({ stage, percent }) => (
          <span key={stage} data-stage={stage} style={{ flexGrow: percent }} />
        ))}
      </div>
      <ul className={classes["legend"]}>
        {pieces.map(({ stage, milliseconds }) => (
          <li key={stage}>
            <span className={classes["dot"]} data-stage={stage} aria-hidden="true" />
            {name(stage)}
            <strong>{formatDuration(milliseconds, i18n.language)}</strong>
          </li>
        ))}
      </ul>
    </Stack>
  );
}
