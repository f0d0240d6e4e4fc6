import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useBlocker } from "react-router";
import { confirm } from "./confirm";

/** Asks before changes are lost, by leaving the page or closing the window. */
export function useUnsavedChanges(unsaved: boolean): void {
  const { t } = useTranslation();
  const blocker = useBlocker(
    // Whose session ended cannot save anyway.
    ({ currentLocation, nextLocation }) =>
      unsaved && nextLocation.pathname !== currentLocation.pathname && nextLocation.pathname !== "/login",
  );

  useEffect(() => {
    if (blocker.state !== "blocked") return;
    const question = { title: t("unsaved.title"), text: t("unsaved.text"), cancel: t("unsaved.stay") };
    void confirm({ ...question, confirm: t("unsaved.leave"), destructive: true }).then((leave) =>
      leave ? blocker.proceed() : blocker.reset(),
    );
  }, [blocker, t]);

  useEffect(() => {
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [unsaved]);
}
