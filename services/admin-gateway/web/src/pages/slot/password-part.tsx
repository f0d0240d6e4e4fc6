import { Button, Group, PasswordInput, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { FormState } from "./form-state";

/** The slot's own ingest password: set, change or remove; it is never shown. */
export function PasswordPart({ form: { slot, draft, errors, set } }: { form: FormState }) {
  const { t } = useTranslation("slot");
  const [opened, setOpened] = useState(false);
  const password = draft.ingest_password;
  const undo = (
    <Button
      variant="subtle"
      size="compact-sm"
      onClick={() => {
        setOpened(false);
        set({ ingest_password: null });
      }}
    >
      {t("password.undo")}
    </Button>
  );
  return (
    <Stack gap="xs" role="group" aria-label={t("password.title")}>
      <Text fw={600} fz="sm">
        {t("password.title")}
      </Text>
      <Text fz="sm" c="dimmed">
        {t(slot.has_own_password ? "password.own" : "password.global")}
      </Text>
      {password === "" ? (
        <Group gap="xs">
          <Text fz="sm">{t("password.willRemove")}</Text>
          {undo}
        </Group>
      ) : opened || password !== null ? (
        <>
          <PasswordInput
            label={t("password.newPassword")}
            description={t("password.newHelp")}
            autoComplete="new-password"
            maw={420}
            autoFocus
            value={password ?? ""}
            error={errors.values["ingest_password"]}
            onChange={(event) => set({ ingest_password: event.currentTarget.value || null })}
          />
          <Group gap="xs">
            <Text fz="sm" c="dimmed">
              {t("password.willSet")}
            </Text>
            {undo}
          </Group>
        </>
      ) : (
        <Group gap="sm">
          <Button variant="light" size="xs" onClick={() => setOpened(true)}>
            {t(slot.has_own_password ? "password.change" : "password.set")}
          </Button>
          {slot.has_own_password && (
            <Button variant="default" size="xs" onClick={() => set({ ingest_password: "" })}>
              {t("password.remove")}
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}
