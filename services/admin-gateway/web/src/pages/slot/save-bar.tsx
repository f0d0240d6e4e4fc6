import { Button, Group, Kbd, Paper, Text, Transition } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconDeviceFloppy } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { confirm } from "@/components/confirm";
import classes from "./save-bar.module.css";

interface SaveBarProps {
  /** Names of what changed. */
  changed: readonly string[];
  saving: boolean;
  /** Whether something must be put right first. */
  invalid: boolean;
  onSave: () => void;
  onDiscard: () => void;
}

/** Stays in sight while something is unsaved. Ctrl+S (Cmd+S) saves too. */
export function SaveBar({ changed, saving, invalid, onSave, onDiscard }: SaveBarProps) {
  const { t, i18n } = useTranslation("slot");
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
    <Transition mounted={changed.length > 0} transition="slide-up" duration={160}>
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
                {t("save.changed", { count: changed.length })}
              </Text>
              <Text
                fz="xs"
                c={invalid ? "var(--mantine-color-error)" : "dimmed"}
                truncate
                title={changed.join(", ")}
              >
                {invalid
                  ? t("save.fix")
                  : new Intl.ListFormat(i18n.language, { type: "unit" }).format(changed)}
              </Text>
            </div>
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
          </div>
        </Paper>
      )}
    </Transition>
  );
}
