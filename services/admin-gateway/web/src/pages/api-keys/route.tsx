import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconArrowLeft, IconHistory, IconPlugConnected, IconPlus, IconWebhook } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ApiKey } from "@/api/types";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { ApiKeyCards } from "./api-key-cards";
import { CreateDialog } from "./create-dialog";
import { useApiKeys } from "./use-api-keys";

/** Keys of programs that send photos by the API. */
export function Component() {
  const { t } = useTranslation("keys");
  const list = useApiKeys();
  /** `null`: nothing is being made; a key: one more for its client. */
  const [making, setMaking] = useState<{ like: ApiKey | null } | null>(null);
  const keys = list.data?.pages.flatMap((page) => page.keys) ?? [];
  const create = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setMaking({ like: null })}>
      {t("create")}
    </Button>
  );
  return (
    <Page
      title={t("title")}
      subtitle={t("intro")}
      above={
        <Anchor component={Link} to="/settings" fz="sm">
          <Group gap={4}>
            <IconArrowLeft size={16} aria-hidden />
            {t("back")}
          </Group>
        </Anchor>
      }
      actions={
        keys.length > 0 && (
          <>
            <Button
              component={Link}
              to="/webhooks"
              variant="default"
              leftSection={<IconWebhook size={18} aria-hidden />}
            >
              {t("toWebhooks")}
            </Button>
            {create}
          </>
        )
      }
    >
      {list.isPending && <LoadingRows rows={4} height={110} />}
      {list.isError && <ErrorState error={list.error} retry={() => void list.refetch()} />}
      {list.data && keys.length === 0 && (
        <EmptyState icon={IconPlugConnected} title={t("empty.title")} text={t("empty.text")}>
          {create}
        </EmptyState>
      )}
      {keys.length > 0 && (
        <Stack gap="md">
          <ApiKeyCards keys={keys} onReplace={(like) => setMaking({ like })} />
          {list.hasNextPage && (
            <Group justify="center">
              <Button
                variant="default"
                leftSection={<IconHistory size={18} aria-hidden />}
                loading={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                {t("more", { ns: "common" })}
              </Button>
            </Group>
          )}
          <Text fz="sm" c="dimmed">
            {t("lastUsedHelp")}
          </Text>
        </Stack>
      )}
      {making && <CreateDialog like={making.like} onClose={() => setMaking(null)} />}
    </Page>
  );
}
