import { Button, Grid, Stack } from "@mantine/core";
import { IconListDetails, IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { providersQuery, settingsQuery } from "@/api/queries";
import type { Settings } from "@/api/types";
import { LoadingRows } from "@/components/loading";
import { useOperationWords } from "@/components/operation-words";
import { Page } from "@/components/page";
import { ErrorState } from "@/components/states";
import { useUnsavedChanges } from "@/components/unsaved";
import { CleanupCard } from "./cleanup-card";
import { ChecksCard, LimitsCard, TimeCard } from "./form-cards";
import { PasswordCard } from "./password-card";
import { ProvidersCard } from "./providers-card";
import { SaveBar } from "./save-bar";
import { useSettingsForm } from "./use-settings-form";

/** What holds for every slot that does not say otherwise. */
export function Component() {
  const { t } = useTranslation("settings");
  const settings = useQuery(settingsQuery);
  return (
    <Page
      title={t("title")}
      subtitle={t("intro")}
      actions={
        <>
          <Button
            component={Link}
            to="/settings/api-keys"
            variant="default"
            leftSection={<IconPlugConnected size={18} aria-hidden />}
          >
            {t("apiKeysLink")}
          </Button>
          <Button
            component={Link}
            to="/settings/audit"
            variant="default"
            leftSection={<IconListDetails size={18} aria-hidden />}
          >
            {t("auditLink")}
          </Button>
        </>
      }
    >
      {settings.isPending && <LoadingRows rows={4} height={180} />}
      {settings.isError && <ErrorState error={settings.error} retry={() => void settings.refetch()} />}
      {settings.data && <SettingsBody settings={settings.data} />}
    </Page>
  );
}

function SettingsBody({ settings }: { settings: Settings }) {
  const providers = useQuery(providersQuery);
  const words = useOperationWords();
  const [typing, setTyping] = useState(false);
  const ids = providers.data?.map(({ id }) => id) ?? [];
  const form = useSettingsForm(settings, ids);
  useUnsavedChanges(form.changed || typing);
  const providerName = (id: string) =>
    words.provider(id, providers.data?.find((provider) => provider.id === id)?.title);
  return (
    <Stack gap="lg">
      <Grid gutter="lg">
        <Grid.Col span={{ base: 12, lg: 7 }}>
          <Stack gap="lg">
            <TimeCard form={form} />
            <LimitsCard form={form} providerName={providerName} />
            <ChecksCard form={form} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 5 }}>
          <Stack gap="lg">
            <PasswordCard settings={settings} onSaved={form.follow} onTyping={setTyping} />
            <ProvidersCard
              settings={settings}
              providers={providers.data ?? []}
              error={providers.error}
              checking={providers.isFetching}
              onCheck={() => void providers.refetch()}
              providerName={providerName}
            />
            <CleanupCard />
          </Stack>
        </Grid.Col>
      </Grid>
      <SaveBar form={form} />
    </Stack>
  );
}
