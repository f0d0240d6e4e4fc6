import { Box, Card, Group, Stack, Table, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Delivery } from "@/api/types";
import { TimeAgo } from "@/components/time-ago";
import { useClientName } from "@/components/use-clients";
import { DeliveryPill } from "@/components/webhooks/delivery-pill";
import { useMessage } from "@/components/webhooks/message";
import classes from "./webhooks.module.css";

interface DeliveryRowsProps {
  deliveries: readonly Delivery[];
  /** The address that opens a delivery. */
  addressOf: (deliveryId: string) => string;
}

interface RowProps {
  delivery: Delivery;
  to: string;
}

/** Deliveries as a table; as cards where there is no room for one. */
export function DeliveryRows({ deliveries, addressOf }: DeliveryRowsProps) {
  const { t } = useTranslation("webhooks");
  const narrow = useMediaQuery("(max-width: 48em)", undefined, { getInitialValueInEffect: false });
  if (narrow) {
    return (
      <ul className={classes["list"]}>
        {deliveries.map((delivery) => (
          <DeliveryCard key={delivery.id} delivery={delivery} to={addressOf(delivery.id)} />
        ))}
      </ul>
    );
  }
  return (
    <Card p={0}>
      <Table.ScrollContainer minWidth="56rem" type="native">
        <Table
          verticalSpacing="sm"
          horizontalSpacing="md"
          highlightOnHover
          className={classes["table"] ?? ""}
        >
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t("columns.message")}</Table.Th>
              <Table.Th>{t("columns.state")}</Table.Th>
              <Table.Th>{t("columns.client")}</Table.Th>
              <Table.Th>{t("columns.url")}</Table.Th>
              <Table.Th>{t("columns.attempts")}</Table.Th>
              <Table.Th>{t("columns.created")}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {deliveries.map((delivery) => (
              <DeliveryTableRow key={delivery.id} delivery={delivery} to={addressOf(delivery.id)} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function DeliveryTableRow({ delivery, to }: RowProps) {
  const nameOf = useClientName();
  return (
    <Table.Tr className={classes["row"] ?? ""}>
      <Table.Td>
        <DeliveryLink delivery={delivery} to={to} />
      </Table.Td>
      <Table.Td>
        <DeliveryPill delivery={delivery} />
      </Table.Td>
      <Table.Td fz="sm">{nameOf(delivery.client_id)}</Table.Td>
      <Table.Td className={classes["address"] ?? ""} maw="22rem">
        {delivery.url}
      </Table.Td>
      <Table.Td className={classes["quiet"] ?? ""}>
        <Attempts delivery={delivery} />
      </Table.Td>
      <Table.Td className={classes["quiet"] ?? ""}>
        <TimeAgo at={delivery.created_at} />
      </Table.Td>
    </Table.Tr>
  );
}

function DeliveryCard({ delivery, to }: RowProps) {
  const nameOf = useClientName();
  return (
    <Card component="li" padding="sm" className={classes["row"] ?? ""}>
      <Stack gap={6}>
        <Group justify="space-between" gap="xs" wrap="nowrap" align="flex-start">
          <Box miw={0}>
            <DeliveryLink delivery={delivery} to={to} />
          </Box>
          <DeliveryPill delivery={delivery} />
        </Group>
        <Text fz="sm" className={classes["address"] ?? ""}>
          {delivery.url}
        </Text>
        <Text fz="sm" c="dimmed" component="div">
          {nameOf(delivery.client_id)} · <TimeAgo at={delivery.created_at} /> ·{" "}
          <Attempts delivery={delivery} />
        </Text>
      </Stack>
    </Card>
  );
}

function DeliveryLink({ delivery, to }: RowProps) {
  const { t } = useTranslation("webhooks");
  const message = useMessage(delivery.type);
  const job = delivery.job_id.slice(0, 8);
  return (
    <>
      <Text
        component={Link}
        to={to}
        preventScrollReset
        className={classes["link"] ?? ""}
        aria-label={t("open", { message, id: job })}
        fz="sm"
        fw={650}
      >
        {message}
      </Text>
      <Text fz="xs" c="dimmed">
        {t("job", { id: job })}
      </Text>
    </>
  );
}

/** How often it was sent, what the last answer was, and when it is sent again. */
function Attempts({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation("webhooks");
  const { attempts_made, last_status, next_attempt_at, state } = delivery;
  if (attempts_made === 0) return <span>{t("delivery.notYet")}</span>;
  return (
    <span>
      {t("delivery.times", { count: attempts_made })},{" "}
      {last_status === null ? t("noAnswer") : t("answered", { status: last_status })}
      {state === "pending" && next_attempt_at && (
        <Text span inherit c="dimmed" display="block">
          {t("next")} <TimeAgo at={next_attempt_at} />
        </Text>
      )}
    </span>
  );
}
