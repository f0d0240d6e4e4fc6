import { Button, Group, Modal, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Provider, Slot } from "@/api/types";
import { relativeTime, useNow } from "@/components/time-ago";
import { ChangeList } from "./change-list";
import { bothChanged, changesBetween, changesOf } from "./draft";
import { DIALOG_TITLE } from "./section";
import type { Editing } from "./use-slot-editor";
import { useValueWords } from "./use-value-words";
import { valuesOf } from "./values";

interface ConflictDialogProps {
  opened: boolean;
  /** The version somebody else saved; null: none (any more). */
  theirs: Slot | null;
  editing: Editing;
  providers: readonly Provider[];
  onKeepMine: () => void;
  onTakeTheirs: () => void;
  onClose: () => void;
}

/** Two admins changed the same version: what each changed, and which counts. */
export function ConflictDialog({ opened, theirs, ...props }: ConflictDialogProps) {
  const { t } = useTranslation("slot");
  return (
    <Modal
      opened={opened && theirs !== null}
      onClose={props.onClose}
      size="xl"
      styles={DIALOG_TITLE}
      title={t("conflict.title")}
      closeButtonProps={{ "aria-label": t("close", { ns: "common" }) }}
    >
      {theirs && <Comparison theirs={theirs} {...props} />}
    </Modal>
  );
}

type ComparisonProps = Omit<ConflictDialogProps, "opened"> & { theirs: Slot };

function Comparison({ theirs, editing, providers, onKeepMine, onTakeTheirs, onClose }: ComparisonProps) {
  const { t, i18n } = useTranslation("slot");
  const words = useValueWords(providers);
  const now = useNow();
  const { base, draft } = editing;
  const values = valuesOf(theirs, providers);
  const theirChanges = changesBetween(base, values);
  const both = bothChanged(base, draft, values);
  const labels = [t("change.before"), t("change.after")] as const;
  return (
    <Stack gap="lg">
      <Text fz="sm">
        {t("conflict.text", {
          who: theirs.updated_by,
          version: theirs.version,
          when: theirs.updated_at ? relativeTime(new Date(theirs.updated_at), now, i18n.language) : "",
        })}
      </Text>
      <Stack gap="xs">
        <Title order={3}>{t("conflict.theirs")}</Title>
        {theirChanges.length === 0 && (
          <Text fz="sm" c="dimmed">
            {t("conflict.none")}
          </Text>
        )}
        <ChangeList
          changes={theirChanges}
          words={words}
          before={base}
          after={values}
          labels={labels}
          marked={both}
        />
      </Stack>
      <Stack gap="xs">
        <Title order={3}>{t("conflict.yours")}</Title>
        <ChangeList
          changes={changesOf(base, draft)}
          words={words}
          before={base}
          after={draft}
          labels={labels}
          marked={both}
        />
        {both.size > 0 && (
          <Text fz="sm" c="dimmed">
            {t("conflict.bothHelp")}
          </Text>
        )}
      </Stack>
      <Group justify="flex-end" gap="sm">
        <Button variant="subtle" onClick={onClose}>
          {t("conflict.later")}
        </Button>
        <Button variant="default" title={t("conflict.takeTheirsHelp")} onClick={onTakeTheirs}>
          {t("conflict.takeTheirs")}
        </Button>
        <Button title={t("conflict.keepMineHelp")} onClick={onKeepMine}>
          {t("conflict.keepMine")}
        </Button>
      </Group>
    </Stack>
  );
}
