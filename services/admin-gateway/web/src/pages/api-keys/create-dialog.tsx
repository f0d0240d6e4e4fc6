import { Alert, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { ApiKey } from "@/api/types";
import { CopyField } from "@/components/copy-field";
import { ErrorState } from "@/components/states";
import { NAME_MAX, problemsOf, SCOPE_TEXTS, SCOPES, scopesOf, USUAL_SCOPES } from "./scopes";
import { useCreateKey } from "./use-api-keys";

interface CreateDialogProps {
  /** The new key is one more for this one's client; null: for a new client. */
  like: ApiKey | null;
  onClose: () => void;
}

/** Asks what a key is for, makes it, and shows it this once; it lives in this dialog only and goes with it. */
export function CreateDialog({ like, onClose }: CreateDialogProps) {
  const { t } = useTranslation("keys");
  const make = useCreateKey();
  const made = make.data ?? null;
  return (
    <Modal
      opened
      onClose={onClose}
      title={made ? t("made.title") : like ? t("replace.title", { name: like.name }) : t("create")}
      size="lg"
      // A key once shown must not vanish by a stray click.
      closeOnClickOutside={made === null}
      closeOnEscape={made === null}
      withCloseButton={made === null}
      closeButtonProps={{ "aria-label": t("close", { ns: "common" }) }}
    >
      {made ? (
        <MadeKey secret={made.key} apiKey={made.api_key} replaced={like} onClose={onClose} />
      ) : (
        <NewKeyForm like={like} make={make} onClose={onClose} />
      )}
    </Modal>
  );
}

interface NewKeyFormProps extends CreateDialogProps {
  make: ReturnType<typeof useCreateKey>;
}

function NewKeyForm({ like, make, onClose }: NewKeyFormProps) {
  const { t } = useTranslation("keys");
  const [name, setName] = useState(like?.name ?? "");
  const [scopes, setScopes] = useState(like?.scopes ?? USUAL_SCOPES);
  const [sent, setSent] = useState(false);
  const problems = sent ? problemsOf({ name, scopes }) : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setSent(true);
    if (Object.keys(problemsOf({ name, scopes })).length > 0) return;
    make.mutate({ name: name.trim(), scopes: scopesOf(scopes), client_id: like?.client_id ?? null });
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="lg">
        {like && <Text fz="sm">{t("replace.text")}</Text>}
        <TextInput
          label={t("name.label")}
          description={t("name.help")}
          autoComplete="off"
          data-autofocus
          maxLength={NAME_MAX}
          value={name}
          error={problems.name && t("name.wanted")}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Checkbox.Group
          label={t("scopes.label")}
          description={t("scopes.help")}
          value={[...scopes]}
          error={problems.scopes && t("scopes.wanted")}
          onChange={(values) => setScopes(scopesOf(values))}
        >
          <Stack gap="sm" my="sm">
            {SCOPES.map((scope) => (
              <Checkbox
                key={scope}
                value={scope}
                radius={5}
                label={t(`scope.${SCOPE_TEXTS[scope]}.title`)}
                description={t(`scope.${SCOPE_TEXTS[scope]}.help`)}
              />
            ))}
          </Stack>
        </Checkbox.Group>
        {make.isError && <ErrorState error={make.error} title={t("failed")} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("confirm.cancel", { ns: "common" })}
          </Button>
          <Button type="submit" loading={make.isPending}>
            {t("make")}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface MadeKeyProps {
  secret: string;
  apiKey: ApiKey;
  /** The key it is to take the place of. */
  replaced: ApiKey | null;
  onClose: () => void;
}

function MadeKey({ secret, apiKey, replaced, onClose }: MadeKeyProps) {
  const { t } = useTranslation("keys");
  return (
    <Stack gap="lg">
      <Alert
        color="yellow"
        role="status"
        icon={<IconAlertTriangle aria-hidden />}
        title={t("made.once")}
        // Mantine's yellow text has 2:1 on its own background.
        styles={{ title: { color: "var(--mantine-color-text)" } }}
      >
        <Text fz="sm">{t("made.warning")}</Text>
      </Alert>
      <Stack gap={6}>
        <Text fz="sm" fw={600}>
          {apiKey.name}
        </Text>
        <CopyField value={secret} what={t("made.copy")} />
        <Text fz="sm" c="dimmed">
          {t("made.use")}
        </Text>
      </Stack>
      {replaced && <Text fz="sm">{t("made.thenRevoke", { digits: replaced.last_four })}</Text>}
      <Group justify="flex-end">
        <Button data-autofocus onClick={onClose}>
          {t("made.close")}
        </Button>
      </Group>
    </Stack>
  );
}
