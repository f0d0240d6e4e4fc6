import { Alert, Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { IconKey, IconSparkles } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Settings } from "@/api/types";
import { confirm } from "@/components/confirm";
import { CopyField } from "@/components/copy-field";
import { describeOnlyField } from "@/components/describe-error";
import { exactTime } from "@/components/time-ago";
import { Section } from "./form-cards";
import { generatePassword, PASSWORD_MAX, PASSWORD_MIN } from "./password";
import { useSaveSettings } from "./use-settings-form";

interface PasswordCardProps {
  settings: Settings;
  onSaved: (settings: Settings) => void;
  /** Tells the page whether something typed here would be lost. */
  onTyping: (typing: boolean) => void;
}

/** The password of all cameras: who set it and when; a new one is shown once. */
export function PasswordCard({ settings, onSaved, onTyping }: PasswordCardProps) {
  const { t, i18n } = useTranslation("settings");
  const [typed, setTyped] = useState<string | null>(null);
  const [visible, setVisible] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const save = useSaveSettings();
  const type = (value: string | null) => {
    setTyped(value);
    if (value === null) setVisible(false);
    if (save.isError) save.reset();
    onTyping(Boolean(value));
  };
  const { ingest_password_rotated_at: at, ingest_password_rotated_by: by } = settings;

  const problem = (): string | null => {
    if (!typed) return null;
    if (typed.length < PASSWORD_MIN) return t("password.tooShort", { min: PASSWORD_MIN });
    if (typed.length > PASSWORD_MAX) return t("password.tooLong", { max: PASSWORD_MAX });
    return save.error && describeOnlyField(save.error, t("password.field"));
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!typed || typed.length < PASSWORD_MIN || typed.length > PASSWORD_MAX) return;
    const sure =
      at === null ||
      (await confirm({
        title: t("password.confirmTitle"),
        text: t("password.confirmText"),
        confirm: t("password.save"),
        destructive: true,
      }));
    if (!sure) return;
    save.mutate(
      { change: { ingest_password: typed } },
      {
        onSuccess: (saved) => {
          onSaved(saved);
          setShown(typed);
          type(null);
        },
      },
    );
  };

  return (
    <Section title={t("password.title")} intro={t("password.help")}>
      <Text fz="sm">
        {at === null
          ? t("password.none")
          : t("password.setBy", { when: exactTime(new Date(at), i18n.language), who: by })}
      </Text>
      {shown !== null && (
        <Alert color="brand" title={t("password.done")} role="status">
          <Stack gap="sm" align="stretch">
            <Text fz="sm">{t("password.once")}</Text>
            <CopyField value={shown} what={t("password.copyLabel")} />
            <Group>
              <Button size="xs" variant="default" onClick={() => setShown(null)}>
                {t("password.hide")}
              </Button>
            </Group>
          </Stack>
        </Alert>
      )}
      {typed === null ? (
        <Group>
          <Button variant="default" leftSection={<IconKey size={18} aria-hidden />} onClick={() => type("")}>
            {t("password.change")}
          </Button>
        </Group>
      ) : (
        <form onSubmit={(event) => void submit(event)}>
          <Stack gap="sm">
            <PasswordInput
              label={t("password.field")}
              description={t("password.fieldHelp")}
              autoComplete="new-password"
              data-autofocus
              value={typed}
              visible={visible}
              onVisibilityChange={setVisible}
              error={problem()}
              visibilityToggleButtonProps={{ "aria-label": t("password.reveal") }}
              onChange={(event) => type(event.currentTarget.value)}
            />
            <Group gap="sm">
              <Button
                variant="default"
                leftSection={<IconSparkles size={18} aria-hidden />}
                onClick={() => {
                  type(generatePassword());
                  setVisible(true);
                }}
              >
                {t("password.generate")}
              </Button>
              <Button type="submit" loading={save.isPending} disabled={typed.length < PASSWORD_MIN}>
                {t("password.save")}
              </Button>
              <Button variant="subtle" onClick={() => type(null)}>
                {t("password.cancel")}
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Section>
  );
}
