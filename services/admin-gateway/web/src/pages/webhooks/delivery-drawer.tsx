import { Alert, Anchor, Button, Drawer, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconSend, IconZoomQuestion } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DeliveryDetails } from "@/api/types";
import { confirm } from "@/components/confirm";
import { CopyButton } from "@/components/copy-field";
import { type Fact, FactList } from "@/components/figures/fact-list";
import { LoadingRows } from "@/components/loading";
import { EmptyState, ErrorState } from "@/components/states";
import { TimeAgo } from "@/components/time-ago";
import { useClientName } from "@/components/use-clients";
import { DeliveryPill } from "@/components/webhooks/delivery-pill";
import { reasonOf } from "@/components/webhooks/delivery-words";
import { useMessage } from "@/components/webhooks/message";
import { AttemptList } from "./attempt-list";
import { isGone, useDelivery, useResend } from "./use-deliveries";
import classes from "./webhooks.module.css";

interface DeliveryDrawerProps {
  /** Which is shown; null: the drawer is closed. */
  deliveryId: string | null;
  onClose: () => void;
}

/** One delivery: what became of it, how it was sent, and once more, if it is over. */
export function DeliveryDrawer({ deliveryId, onClose }: DeliveryDrawerProps) {
  const { t } = useTranslation("webhooks");
  return (
    <Drawer
      opened={deliveryId !== null}
      onClose={onClose}
      position="right"
      size="lg"
      title={t("delivery.title")}
      styles={{ title: { fontSize: "1.0625rem", fontWeight: 650 } }}
      closeButtonProps={{ "aria-label": t("close", { ns: "common" }) }}
    >
      {deliveryId !== null && <Found key={deliveryId} deliveryId={deliveryId} />}
    </Drawer>
  );
}

function Found({ deliveryId }: { deliveryId: string }) {
  const { t } = useTranslation("webhooks");
  const delivery = useDelivery(deliveryId);
  if (delivery.data) return <Shown delivery={delivery.data} />;
  if (delivery.isPending) return <LoadingRows rows={4} height={72} />;
  return isGone(delivery.error) ? (
    <EmptyState icon={IconZoomQuestion} title={t("delivery.notFound")} />
  ) : (
    <ErrorState error={delivery.error} retry={() => void delivery.refetch()} />
  );
}

function Shown({ delivery }: { delivery: DeliveryDetails }) {
  const message = useMessage(delivery.type);
  return (
    <Stack gap="lg">
      <Group justify="space-between" gap="xs">
        <Text fw={650}>{message}</Text>
        <span role="status">
          <DeliveryPill delivery={delivery} />
        </span>
      </Group>
      {delivery.failure_reason && <WhyGivenUp reason={delivery.failure_reason} />}
      <FactList facts={useFacts(delivery)} />
      <ResendButton delivery={delivery} />
      <AttemptList attempts={delivery.attempts} made={delivery.attempts_made} />
    </Stack>
  );
}

function WhyGivenUp({ reason }: { reason: string }) {
  const { t } = useTranslation("webhooks");
  const known = reasonOf(reason);
  return (
    <Alert
      role="note"
      color="red"
      icon={<IconAlertTriangle aria-hidden />}
      title={t(`reason.${known}.title`)}
    >
      {known === "other" ? t("reason.other.text", { reason }) : t(`reason.${known}.text`)}
    </Alert>
  );
}

function ResendButton({ delivery }: { delivery: DeliveryDetails }) {
  const { t } = useTranslation("webhooks");
  const resend = useResend(delivery.id);
  const ask = async () => {
    const sure = await confirm({
      title: t("resend.title"),
      text: t("resend.text"),
      confirm: t("resend.button"),
    });
    if (sure) resend.mutate();
  };
  // One that is pending is sent by itself. The button stays all the same, as does the focus that is on it.
  const pending = delivery.state === "pending";
  return (
    <Group>
      <Button
        leftSection={<IconSend size={18} aria-hidden />}
        loading={resend.isPending}
        {...(pending ? { "data-disabled": true, "aria-disabled": true } : {})}
        onClick={() => {
          if (!pending) void ask();
        }}
      >
        {t("resend.button")}
      </Button>
    </Group>
  );
}

function useFacts(delivery: DeliveryDetails): readonly Fact[] {
  const { t } = useTranslation("webhooks");
  const nameOf = useClientName();
  const { attempts_made: made, state } = delivery;
  return [
    { name: t("delivery.client"), value: nameOf(delivery.client_id) },
    {
      name: t("delivery.job"),
      value: (
        <Anchor component={Link} to={`/jobs/${delivery.job_id}`} className={classes["id"] ?? ""}>
          {delivery.job_id}
        </Anchor>
      ),
    },
    {
      name: t("delivery.url"),
      value: (
        <span className={classes["id"]} title={t("delivery.urlHelp")}>
          {delivery.url}
        </span>
      ),
    },
    { name: t("delivery.made"), value: <TimeAgo at={delivery.created_at} /> },
    {
      name: t("delivery.sent"),
      value: made === 0 ? t("delivery.notYet") : t("delivery.times", { count: made }),
    },
    ...(delivery.last_attempt_at
      ? [{ name: t("delivery.last"), value: <TimeAgo at={delivery.last_attempt_at} /> }]
      : []),
    ...(state === "pending" && delivery.next_attempt_at
      ? [{ name: t("delivery.next"), value: <TimeAgo at={delivery.next_attempt_at} /> }]
      : []),
    {
      name: t("delivery.id"),
      value: (
        <>
          <Group gap={2} wrap="nowrap">
            <span className={classes["id"]}>{delivery.id}</span>
            <CopyButton value={delivery.id} what={t("delivery.id")} />
          </Group>
          <Text fz="xs" c="dimmed">
            {t("delivery.idHelp")}
          </Text>
        </>
      ),
    },
  ];
}
