import { Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useLiveState } from "@/components/live";
import classes from "./live-indicator.module.css";

/** A quiet dot: does the page update by itself? Readers of the screen hear of it only when it stops. */
export function LiveIndicator() {
  const { t } = useTranslation();
  const state = useLiveState();
  return (
    <>
      <Tooltip label={t("live.help")}>
        <span className={classes["indicator"]} data-state={state} aria-hidden="true">
          <span className={classes["dot"]} />
          <span className={classes["text"]}>{t(`live.${state}`)}</span>
        </span>
      </Tooltip>
      <span role="status" className="visually-hidden">
        {state === "reconnecting" ? t("live.reconnecting") : ""}
      </span>
    </>
  );
}
