import { Anchor, Card, Group, Stack, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Delivery, JobDetails } from "@/api/types";
import { isFinal } from "@/components/jobs/model";
import { TimeAgo } from "@/components/time-ago";
import { DeliveryPill } from "@/components/webhooks/delivery-pill";

/** While one is on its way: no event tells of deliveries. */
const REFRESH_MS = 4000;

/** What the program was told of its job's end; nothing where it wanted none. */
export function DeliveriesCard({ job }: { job: JobDetails }) {
  const { t } = useTranslation("webhooks");
  const id = useId();
  const deliveries = useDeliveriesOf(job);
  if (deliveries.length === 0) return null;
  return (
    <Card component="section" aria-labelledby={id}>
      <Stack gap="md">
        <div>
          <Title order={2} size="h3" id={id}>
            {t("ofJob.title")}
          </Title>
          <Text fz="sm" c="dimmed" mt={4}>
            {t("ofJob.intro")}
          </Text>
        </div>
        {deliveries.map((delivery) => (
          <DeliveryLine key={delivery.id} delivery={delivery} />
        ))}
      </Stack>
    </Card>
  );
}

function DeliveryLine({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation("webhooks");
  const { last_attempt_at: last, last_status: status } = delivery;
  return (
    <Stack gap={6}>
      <Group justify="space-between" gap="xs">
        <DeliveryPill delivery={delivery} />
        {last && (
          <Text fz="sm" c="dimmed">
            {status === null ? t("noAnswer") : t("answered", { status })} · <TimeAgo at={last} />
          </Text>
        )}
      </Group>
      <Text fz="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {delivery.url}
      </Text>
      <Anchor
        component={Link}
        to={`/webhooks?job=${delivery.job_id}&delivery=${delivery.id}`}
        fz="sm"
        fw={600}
      >
        {t("ofJob.look")}
      </Anchor>
    </Stack>
  );
}

function useDeliveriesOf({ job_id, mode, status }: JobDetails): readonly Delivery[] {
  const { data } = useQuery({
    queryKey: keys.deliveriesOf(job_id),
    queryFn: ({ signal }) =>
      answer(api.GET("/api/webhooks/deliveries", { params: { query: { job_id } }, signal })),
    // They are made when a job ends.
    enabled: mode === "async" && isFinal(status),
    staleTime: 0,
    refetchInterval: ({ state: { data } }) =>
      data?.deliveries.some(({ state }) => state === "pending") ? REFRESH_MS : false,
  });
  return data?.deliveries ?? [];
}
