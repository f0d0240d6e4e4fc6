import { Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconArrowLeft, IconHistory, IconWebhook } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { DeliveryDrawer } from "./delivery-drawer";
import { DeliveryFiltersBar } from "./delivery-filters";
import { DeliveryRows } from "./delivery-rows";
import { type DeliveryFilters, filtersOf, isNarrowed, openedIn, searchOf } from "./filters";
import { useDeliveries } from "./use-deliveries";

/** What programs were told of their jobs, and how that went. */
export function Component() {
  const { t } = useTranslation("webhooks");
  const [search, setSearch] = useSearchParams();
  const filters = filtersOf(search);
  return (
    <Page
      title={t("title")}
      subtitle={t("intro")}
      above={
        <Anchor component={Link} to="/settings/api-keys" fz="sm">
          <Group gap={4}>
            <IconArrowLeft size={16} aria-hidden />
            {t("back")}
          </Group>
        </Anchor>
      }
    >
      <DeliveryFiltersBar
        filters={filters}
        onChange={(changed) => setSearch(searchOf(changed), { replace: true, preventScrollReset: true })}
      />
      <Deliveries filters={filters} />
      <DeliveryDrawer
        deliveryId={openedIn(search)}
        onClose={() => setSearch(searchOf(filters), { preventScrollReset: true })}
      />
    </Page>
  );
}

function Deliveries({ filters }: { filters: DeliveryFilters }) {
  const { t } = useTranslation("webhooks");
  const list = useDeliveries(filters);
  const deliveries = list.data?.pages.flatMap((page) => page.deliveries) ?? [];
  const empty = isNarrowed(filters) ? "emptyFiltered" : "empty";
  if (list.isPending) return <LoadingRows rows={6} height={64} />;
  return (
    <Stack gap="md">
      {list.isError && (
        <ErrorState
          error={list.error}
          retry={() => void list.refetch()}
          {...(list.data ? { title: t("stale") } : {})}
        />
      )}
      {list.data && deliveries.length === 0 && (
        <EmptyState icon={IconWebhook} title={t(`${empty}.title`)} text={t(`${empty}.text`)} />
      )}
      {deliveries.length > 0 && (
        <>
          <DeliveryRows deliveries={deliveries} addressOf={(id) => `?${searchOf(filters, id)}`} />
          <Stack align="center" gap="xs">
            <Text fz="sm" c="dimmed" role="status">
              {t("shown", { count: deliveries.length })}
            </Text>
            {list.hasNextPage ? (
              <Button
                variant="default"
                leftSection={<IconHistory size={18} aria-hidden />}
                loading={list.isFetchingNextPage}
                onClick={() => void list.fetchNextPage()}
              >
                {t("older")}
              </Button>
            ) : (
              <Text fz="sm" c="dimmed" ta="center">
                {t("end")}
              </Text>
            )}
          </Stack>
        </>
      )}
    </Stack>
  );
}
