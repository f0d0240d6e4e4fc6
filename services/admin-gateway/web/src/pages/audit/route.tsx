import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconArrowLeft, IconHistory, IconListDetails } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { AuditFiltersBar } from "./audit-filters";
import { Entries } from "./entries";
import { filtersOf, searchOf } from "./filters";
import { useAudit } from "./use-audit";

/** Who changed what, when and from where. */
export function Component() {
  const { t } = useTranslation("audit");
  const [search, setSearch] = useSearchParams();
  const filters = filtersOf(search);
  const log = useAudit(filters);
  const entries = log.data?.pages.flatMap((page) => page.entries) ?? [];
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
    >
      <AuditFiltersBar
        filters={filters}
        onChange={(changed) => setSearch(searchOf(changed), { replace: true, preventScrollReset: true })}
      />
      {log.isPending && <LoadingRows rows={6} height={56} />}
      {log.isError && <ErrorState error={log.error} retry={() => void log.refetch()} />}
      {log.data && entries.length === 0 && (
        <EmptyState icon={IconListDetails} title={t("empty.title")} text={t("empty.text")} />
      )}
      {entries.length > 0 && (
        <Stack gap="md">
          <Entries entries={entries} />
          <Stack align="center">
            {log.hasNextPage ? (
              <Button
                variant="default"
                leftSection={<IconHistory size={18} aria-hidden />}
                loading={log.isFetchingNextPage}
                onClick={() => void log.fetchNextPage()}
              >
                {t("older")}
              </Button>
            ) : (
              <Text fz="sm" c="dimmed">
                {t("end")}
              </Text>
            )}
          </Stack>
        </Stack>
      )}
    </Page>
  );
}
