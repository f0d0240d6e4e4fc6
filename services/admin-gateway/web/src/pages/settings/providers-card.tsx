import { Button, Group, Modal, PasswordInput, Stack, Text } from "@mantine/core";
import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconKey,
  IconRefresh,
  IconTrash,
} from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Provider, Settings } from "@/api/types";
import { confirm } from "@/components/confirm";
import { describeOnlyField, serverWords } from "@/components/describe-error";
import { notifyDone, notifyError } from "@/components/notify";
import { ErrorState } from "@/components/states";
import { Pill } from "@/components/status-pill";
import { exactTime, TimeAgo } from "@/components/time-ago";
import { Section } from "./form-cards";
import classes from "./providers-card.module.css";
import { useSaveSettings } from "./use-settings-form";

type KeyState = Settings["provider_keys"][string];

/** As the API takes keys: visible ASCII. */
const KEY = /^[\x21-\x7e]{8,512}$/;

const HEALTH = {
  healthy: { tone: "good", icon: IconCircleCheck },
  degraded: { tone: "bad", icon: IconCircleX },
  not_configured: { tone: "quiet", icon: IconCircleDashed },
} as const;

interface ProvidersCardProps {
  settings: Settings;
  providers: readonly Provider[];
  /** Why the providers could not be listed; their keys are shown all the same. */
  error: unknown;
  checking: boolean;
  onCheck: () => void;
  providerName: (id: string) => string;
}

/** Each provider with its health and, where it needs one, its API key. */
export function ProvidersCard({
  settings,
  providers,
  error,
  checking,
  onCheck,
  providerName,
}: ProvidersCardProps) {
  const { t } = useTranslation("settings");
  const [editing, setEditing] = useState<string | null>(null);
  const ids = [...new Set([...providers.map(({ id }) => id), ...Object.keys(settings.provider_keys)])];
  return (
    <Section title={t("keys.title")} intro={t("keys.intro")}>
      {error ? <ErrorState error={error} retry={onCheck} /> : null}
      {ids.length === 0 && !error && <Text fz="sm">{t("health.empty")}</Text>}
      <ul className={classes["list"]}>
        {ids.map((id) => (
          <li key={id} className={classes["provider"]}>
            <ProviderItem
              name={providerName(id)}
              id={id}
              provider={providers.find((provider) => provider.id === id)}
              keyState={settings.provider_keys[id]}
              onSet={() => setEditing(id)}
            />
          </li>
        ))}
      </ul>
      <Group>
        <Button
          variant="default"
          size="xs"
          loading={checking}
          leftSection={<IconRefresh size={16} aria-hidden />}
          onClick={onCheck}
        >
          {t("health.again")}
        </Button>
      </Group>
      {editing !== null && (
        <KeyDialog id={editing} name={providerName(editing)} onClose={() => setEditing(null)} />
      )}
    </Section>
  );
}

interface ProviderItemProps {
  id: string;
  name: string;
  provider: Provider | undefined;
  keyState: KeyState | undefined;
  onSet: () => void;
}

function ProviderItem({ id, name, provider, keyState, onSet }: ProviderItemProps) {
  const { t } = useTranslation("settings");
  return (
    <Stack gap="xs">
      <Group justify="space-between" gap="xs">
        <Text fw={650}>{name}</Text>
        {provider && (
          <Pill {...HEALTH[provider.health.state]} text={t(`health.state.${provider.health.state}`)} />
        )}
      </Group>
      {provider && (
        <Text fz="sm" c="dimmed">
          {t("health.operations", { count: provider.operations.length })}
          {" · "}
          {provider.health.checked_at ? (
            <>
              {t("health.checked")} <TimeAgo at={provider.health.checked_at} />
            </>
          ) : (
            t("health.unchecked")
          )}
        </Text>
      )}
      {provider && provider.health.state !== "healthy" && (
        <Text fz="sm">
          {serverWords(provider.health.detail, t(`health.trouble.${provider.health.state}`))}
        </Text>
      )}
      {provider?.requires_public_media && (
        <Text fz="sm" c="dimmed">
          {t("health.publicMedia")}
        </Text>
      )}
      {keyState && <KeyLine id={id} name={name} state={keyState} onSet={onSet} />}
    </Stack>
  );
}

interface KeyLineProps {
  id: string;
  name: string;
  state: KeyState;
  onSet: () => void;
}

function KeyLine({ id, name, state, onSet }: KeyLineProps) {
  const { t, i18n } = useTranslation("settings");
  const save = useSaveSettings();
  const facts = [
    state.configured ? t("keys.configured") : t("keys.missing"),
    state.source ? t(`keys.source.${state.source}`) : null,
    state.last_four ? t("keys.lastFour", { digits: state.last_four }) : null,
    state.updated_at && state.updated_by
      ? t("keys.changed", {
          when: exactTime(new Date(state.updated_at), i18n.language),
          who: state.updated_by,
        })
      : null,
  ].filter((fact) => fact !== null);
  const remove = async () => {
    const sure = await confirm({
      title: t("keys.removeTitle", { provider: name }),
      text: t("keys.removeText"),
      confirm: t("keys.remove"),
      destructive: true,
    });
    if (!sure) return;
    save.mutate(
      { change: { provider_keys: { [id]: null } } },
      {
        onSuccess: () => notifyDone(t("keys.removed", { provider: name })),
        onError: (error) => notifyError(error),
      },
    );
  };
  return (
    <div className={classes["key"]}>
      <Group gap={6} wrap="nowrap" align="flex-start">
        <IconKey size={16} className={classes["icon"] ?? ""} aria-hidden />
        <Text fz="sm">{facts.join(" · ")}</Text>
      </Group>
      {state.source === "environment" && (
        <Text fz="xs" c="dimmed">
          {t("keys.environmentHelp")}
        </Text>
      )}
      <Group gap="xs">
        <Button size="xs" variant="default" aria-label={`${name}: ${setText()}`} onClick={onSet}>
          {setText()}
        </Button>
        {state.source === "stored" && (
          <Button
            size="xs"
            variant="subtle"
            className={classes["remove"] ?? ""}
            leftSection={<IconTrash size={16} aria-hidden />}
            loading={save.isPending}
            aria-label={`${name}: ${t("keys.remove")}`}
            onClick={() => void remove()}
          >
            {t("keys.remove")}
          </Button>
        )}
      </Group>
    </div>
  );

  function setText(): string {
    return state.source === "stored" ? t("keys.replace") : t("keys.set");
  }
}

/** Asks for a key; what is typed lives in this dialog only, and goes with it. */
function KeyDialog({ id, name, onClose }: { id: string; name: string; onClose: () => void }) {
  const { t } = useTranslation("settings");
  const { t: common } = useTranslation();
  const [key, setKey] = useState("");
  const [tried, setTried] = useState(false);
  const save = useSaveSettings();
  const trimmed = key.trim();
  const label = t("keys.field", { provider: name });
  const refused = save.error && describeOnlyField(save.error, label);
  const problem = tried && !KEY.test(trimmed) ? t("keys.invalid") : refused;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!KEY.test(trimmed)) return;
    save.mutate(
      { change: { provider_keys: { [id]: trimmed } } },
      {
        onSuccess: () => {
          notifyDone(t("keys.saved", { provider: name }));
          onClose();
        },
      },
    );
  };
  return (
    <Modal opened onClose={onClose} title={name} closeButtonProps={{ "aria-label": common("close") }}>
      <form onSubmit={submit}>
        <Stack gap="md">
          <PasswordInput
            label={label}
            description={t("keys.fieldHelp")}
            autoComplete="off"
            data-autofocus
            value={key}
            error={problem}
            visibilityToggleButtonProps={{ "aria-label": t("keys.reveal") }}
            onChange={(event) => {
              setKey(event.currentTarget.value);
              if (save.isError) save.reset();
            }}
          />
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {common("confirm.cancel")}
            </Button>
            <Button type="submit" loading={save.isPending}>
              {t("keys.save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
