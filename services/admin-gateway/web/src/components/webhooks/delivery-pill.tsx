import { IconCircleCheck, IconCircleX, IconClockHour4, IconSend } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Delivery } from "@/api/types";
import { Pill } from "@/components/status-pill";
import { conditionOf } from "./delivery-words";

const CONDITIONS = {
  waiting: { tone: "info", icon: IconSend },
  retrying: { tone: "warn", icon: IconClockHour4 },
  delivered: { tone: "good", icon: IconCircleCheck },
  failed: { tone: "bad", icon: IconCircleX },
} as const;

/** Where a delivery is. */
export function DeliveryPill({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation("webhooks");
  const condition = conditionOf(delivery);
  return <Pill {...CONDITIONS[condition]} text={t(`state.${condition}`)} />;
}
