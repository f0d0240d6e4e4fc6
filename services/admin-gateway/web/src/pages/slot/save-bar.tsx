import { Button, Group, Kbd, Paper, Text, Transition } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconCheck, IconDeviceFloppy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { confirm } from "@/components/confirm";
import classes from "./save-bar.module.css";

export type SaveOutcome = { kind: "saved" | "failed"; text: string };

interface SaveBarProps {
  /** Names of what changed. */
  changed: readonly string[];
  saving: boolean;
  /** What came of the last save; shown here, as a passing note would lie on top of the buttons. */
  outcome: SaveOutcome | null;
  onSave: () => void;
  onDiscard: () => void;
}

/** Stays in sight while something is unsaved. Ctrl+S (Cmd+S) saves too. */
export function SaveBar({ changed, saving, outcome, onSave, onDiscard }: SaveBarProps) {
  const { t } = useTranslation("slot");
  const unsaved = changed.length > 0;
  // Never the browser's own "save page", whether or not there is something to save.
  useHotkeys([["mod+S", () => changed.length > 0 && !saving && onSave()]], [], true);
  const discard = async () => {
    const sure = await confirm({
      title: t("save.discardTitle"),
      text: t("save.discardText"),
      confirm: t("save.discard"),
      cancel: t("unsaved.stay", { ns: "common" }),
      destructive: true,
    });
    if (sure) onDiscard();
  };
  return (
    <Transition
      mounted={changed.length > 0 || outcome?.kind === "saved"}
      transition="slide-up"
      duration={160}
    >
      {(style) => (
        <Paper
          style={style}
          className={classes["bar"] ?? ""}
          role="region"
          aria-label={t("save.bar")}
          p="sm"
          pl="lg"
          radius="xl"
        >
          <div className={classes["row"]}>
            <div className={classes["texts"]}>
              <Text fw={650} fz="sm" role="status">
                {unsaved ? t("save.changed", { count: changed.length }) : outcome?.text}
              </Text>
              {outcome?.kind === "failed" && (
                <Text fz="sm" c="var(--mantine-color-error)" role="alert">
                  {outcome.text}
                </Text>
              )}
              {unsaved && (
                <Text fz="xs" c="dimmed" truncate title={changed.join(", ")}>
                  {changed.join(", ")}
                </Text>
              )}
            </div>
            {unsaved ? (
              <Group gap="xs" wrap="nowrap" justify="flex-end">
                <Button variant="default" disabled={saving} onClick={discard}>
                  {t("save.discard")}
                </Button>
                <Button
                  loading={saving}
                  leftSection={<IconDeviceFloppy size={18} aria-hidden />}
                  rightSection={
                    <Kbd size="xs" visibleFrom="md" aria-hidden>
                      {t("save.shortcut")}
                    </Kbd>
                  }
                  onClick={onSave}
                >
                  {t("save.save")}
                </Button>
              </Group>
            ) : (
              <IconCheck className={classes["done"]} aria-hidden />
            )}
          </div>
        </Paper>
      )}
    </Transition>
  );
}
