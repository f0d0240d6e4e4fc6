import { Anchor, Button, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle, IconExternalLink, IconFlask } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { SlotSummary } from "@/api/types";
import { CopyField } from "@/components/copy-field";
import { failureKey } from "@/components/jobs/reasons";
import { Photo } from "@/components/photo";
import { QrButton } from "@/components/qr-button";
import { SlotStatePill } from "@/components/status-pill";
import { TimeAgo } from "@/components/time-ago";
import type { NamedSlot } from "./filter";
import classes from "./slot-card.module.css";
import { SlotSwitch } from "./slot-switch";

const QUIET = { variant: "subtle", size: "compact-md", px: "xs", fz: "sm" } as const;

/** One slot. */
export function SlotCard({ slot, provider, operation }: NamedSlot) {
  const { t } = useTranslation("slots");
  const name = slot.display_name;
  const link = t("ingestLink", { name });
  return (
    <Card
      component="li"
      className={classes["card"] ?? ""}
      data-off={!slot.is_active}
      aria-labelledby={slot.slot_id}
    >
      <Group wrap="nowrap" align="flex-start" gap="md">
        <LastPicture slot={slot} />
        <Stack gap={6} flex={1} miw={0}>
          <Group justify="space-between" align="flex-start" gap="xs">
            <Title order={2} size="h3" className={classes["name"] ?? ""} id={slot.slot_id}>
              <Anchor component={Link} to={`/slots/${slot.slot_id}`} inherit>
                {name}
              </Anchor>
            </Title>
            <SlotStatePill state={slot.state} />
          </Group>
          <Text fz="sm" c="dimmed" lineClamp={2}>
            {slot.slot_id} · {provider} · {operation}
          </Text>
          <Group gap="xs" fz="sm" mt="auto">
            <Text inherit c="dimmed">
              {slot.latest_result ? <TimeAgo at={slot.latest_result.finished_at} /> : t("noPicture")}
            </Text>
            <Jobs slot={slot} />
          </Group>
        </Stack>
      </Group>
      {slot.state === "failing" && slot.last_failure_reason && (
        <LastFailure reason={slot.last_failure_reason} />
      )}
      <Stack gap="sm" mt="auto" pt="md">
        <CopyField value={slot.ingest_url} what={link}>
          <QrButton value={slot.ingest_url} what={link} help={t("ingestHelp")} />
        </CopyField>
        <Group justify="space-between" gap="xs">
          <SlotSwitch slot={slot} />
          <Group gap={4} mr={-6}>
            <Button
              {...QUIET}
              component={Link}
              to={`/slots/${slot.slot_id}#test`}
              aria-label={t("testOf", { name })}
              leftSection={<IconFlask size={17} aria-hidden />}
            >
              {t("test")}
            </Button>
            <Button
              {...QUIET}
              component="a"
              href={`/public/slots/${slot.slot_id}`}
              target="_blank"
              rel="noopener"
              aria-label={t("galleryOf", { name })}
              leftSection={<IconExternalLink size={17} aria-hidden />}
            >
              {t("gallery")}
            </Button>
          </Group>
        </Group>
      </Stack>
    </Card>
  );
}

function LastPicture({ slot }: { slot: SlotSummary }) {
  const { t } = useTranslation("slots");
  const result = slot.latest_result;
  const photo = <Photo src={result?.thumbnail_url} alt={t("lastPictureOf", { name: slot.display_name })} />;
  if (!result) return <div className={classes["picture"]}>{photo}</div>;
  return (
    <Link to={`/jobs/${result.job_id}`} className={classes["picture"] ?? ""}>
      {photo}
    </Link>
  );
}

function Jobs({ slot }: { slot: SlotSummary }) {
  const { t } = useTranslation("slots");
  if (slot.running_jobs === 0 && slot.waiting_jobs === 0) return null;
  return (
    <Text inherit fw={600} c="var(--pc-accent-text)">
      {slot.running_jobs > 0 && t("running", { count: slot.running_jobs })}
      {slot.running_jobs > 0 && slot.waiting_jobs > 0 && " · "}
      {slot.waiting_jobs > 0 && t("waiting", { count: slot.waiting_jobs })}
    </Text>
  );
}

function LastFailure({ reason }: { reason: string }) {
  const { t } = useTranslation(["slots", "reasons"]);
  return (
    <Group gap={8} mt="sm" wrap="nowrap" fz="sm" className={classes["failure"] ?? ""}>
      <IconAlertTriangle size={17} aria-hidden />
      {t("lastFailure", { reason: t(`reasons:${failureKey(reason)}.title`) })}
    </Group>
  );
}
