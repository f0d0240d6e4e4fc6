import { Button, Card, Group, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconShare2, IconUsersGroup } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import { galleriesQuery } from "@/api/queries";
import { CopyField } from "@/components/copy-field";
import { minutesAndSeconds, useCountdown } from "@/components/countdown";
import { notifyError } from "@/components/notify";
import { QrButton } from "@/components/qr-button";

/** Opens all galleries to guests for 15 minutes; shows how long that still holds, and the way in. */
export function ShareCard({ sharedUntil }: { sharedUntil: string | null }) {
  const { t } = useTranslation("gallery");
  const queries = useQueryClient();
  const left = useCountdown(sharedUntil === null ? null : Date.parse(sharedUntil));
  const share = useMutation({
    mutationFn: () => answer(api.POST("/api/gallery/share")),
    onSuccess: ({ share_until }) => {
      queries.setQueryData(galleriesQuery.queryKey, (known) => known && { ...known, share_until });
      return queries.invalidateQueries({ queryKey: keys.gallery, exact: true });
    },
    onError: (error) => notifyError(error, t("share.title")),
  });
  const link = `${window.location.origin}/pubgallery`;
  return (
    <Card>
      <Group justify="space-between" gap="lg">
        <Group gap="md" wrap="nowrap" flex="1 1 20rem">
          <ThemeIcon size={48} radius="xl" variant="light" aria-hidden>
            {left > 0 ? <IconUsersGroup size={24} stroke={1.7} /> : <IconShare2 size={24} stroke={1.7} />}
          </ThemeIcon>
          <Stack gap={2}>
            <Title order={2} size="h3">
              {left > 0 ? t("share.open") : t("share.title")}
            </Title>
            {left > 0 ? (
              <Text fw={600} c="var(--pc-accent-text)" role="timer">
                {t("share.left", { time: minutesAndSeconds(left) })}
              </Text>
            ) : (
              <Text fz="sm" c="dimmed">
                {t("share.text")}
              </Text>
            )}
          </Stack>
        </Group>
        {left > 0 && (
          <Stack flex="1 1 20rem" miw={0} maw={520}>
            <CopyField value={link} what={t("share.link")}>
              <QrButton value={link} what={t("share.link")} help={t("share.help")} />
            </CopyField>
          </Stack>
        )}
        <Button
          variant={left > 0 ? "default" : "filled"}
          loading={share.isPending}
          onClick={() => share.mutate()}
        >
          {left > 0 ? t("share.prolong") : t("share.start")}
        </Button>
      </Group>
    </Card>
  );
}
