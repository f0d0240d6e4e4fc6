import { Alert, Button, Group, Paper, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconUsers } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { describeError } from "@/components/describe-error";
import classes from "./save-bar.module.css";
import type { SettingsForm } from "./use-settings-form";

/** Stays in sight while there is something to save: what stands in the way, and the two ways out. */
export function SaveBar({ form }: { form: SettingsForm }) {
  const { t } = useTranslation("settings");
  if (!form.changed) return null;
  return (
    <Paper withBorder shadow="md" className={classes["bar"] ?? ""} role="region" aria-label={t("unsaved")}>
      <Stack gap="sm">
        {form.outdated && (
          <Alert color="orange" icon={<IconUsers aria-hidden />} title={t("conflict.title")} role="alert">
            <Stack gap="sm" align="flex-start">
              <Text fz="sm">{t("conflict.text")}</Text>
              <Button size="xs" variant="default" onClick={form.takeTheirs}>
                {t("conflict.load")}
              </Button>
            </Stack>
          </Alert>
        )}
        {form.refusal && (
          <Alert color="red" icon={<IconAlertTriangle aria-hidden />} role="alert">
            {describeError(form.refusal)}
          </Alert>
        )}
        <Group justify="space-between" gap="sm">
          <Text fz="sm" role="status">
            {form.merged ? t("conflict.loaded") : form.valid ? t("unsaved") : t("checkFields")}
          </Text>
          <Group gap="sm">
            <Button variant="default" disabled={form.saving} onClick={form.discard}>
              {t("discard")}
            </Button>
            <Button loading={form.saving} disabled={!form.valid || form.outdated} onClick={form.submit}>
              {t("save")}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Paper>
  );
}
