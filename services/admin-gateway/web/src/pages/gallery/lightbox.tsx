import { ActionIcon, Button, Group, Modal, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconChevronLeft, IconChevronRight, IconDownload, IconListDetails } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ownPath } from "@/api/own-path";
import type { RecentResult } from "@/api/types";
import { exactTime } from "@/components/time-ago";
import classes from "./gallery.module.css";

interface LightboxProps {
  slotName: string;
  results: RecentResult[];
  /** Whose picture is shown; null: closed. */
  openJob: string | null;
  onOpen: (jobId: string | null) => void;
}

/** One picture after another, large; by mouse, touch or arrow keys. */
export function Lightbox({ slotName, results, openJob, onOpen }: LightboxProps) {
  const { t, i18n } = useTranslation(["gallery", "common"]);
  const place = results.findIndex(({ job_id }) => job_id === openJob);
  const shown = results[place];
  const show = (next: number) => {
    const result = results[next];
    if (result) onOpen(result.job_id);
  };
  useHotkeys(
    shown
      ? [
          ["ArrowLeft", () => show(place - 1)],
          ["ArrowRight", () => show(place + 1)],
          ["Home", () => show(0)],
          ["End", () => show(results.length - 1)],
        ]
      : [],
  );
  const time = shown ? exactTime(shown.finished_at, i18n.language) : "";
  return (
    <Modal
      opened={shown !== undefined}
      onClose={() => onOpen(null)}
      fullScreen
      radius={0}
      title={`${slotName} · ${time}`}
      closeButtonProps={{ "aria-label": t("common:close"), size: "lg" }}
      classNames={{ body: classes["viewer"] ?? "", content: classes["viewerFrame"] ?? "" }}
      transitionProps={{ duration: 120 }}
    >
      {shown && (
        <>
          <Group wrap="nowrap" className={classes["stage"] ?? ""}>
            <ActionIcon
              variant="default"
              size={48}
              radius="xl"
              aria-label={t("viewer.previous")}
              disabled={place === 0}
              onClick={() => show(place - 1)}
            >
              <IconChevronLeft aria-hidden />
            </ActionIcon>
            <img
              key={shown.job_id}
              className={classes["large"]}
              src={ownPath(shown.public_url)}
              alt={`${t("viewer.label")}: ${slotName}, ${time}`}
            />
            <ActionIcon
              variant="default"
              size={48}
              radius="xl"
              aria-label={t("viewer.next")}
              disabled={place === results.length - 1}
              onClick={() => show(place + 1)}
            >
              <IconChevronRight aria-hidden />
            </ActionIcon>
          </Group>
          <Group justify="center" gap="sm" p="md">
            <Text c="dimmed" fz="sm" role="status" miw={80} ta="center">
              {t("viewer.position", { number: place + 1, total: results.length })}
            </Text>
            <Button
              component="a"
              href={ownPath(shown.public_url)}
              download
              leftSection={<IconDownload size={18} aria-hidden />}
            >
              {t("viewer.download")}
            </Button>
            <Button
              component={Link}
              to={`/jobs/${shown.job_id}`}
              variant="default"
              leftSection={<IconListDetails size={18} aria-hidden />}
            >
              {t("viewer.job")}
            </Button>
          </Group>
        </>
      )}
    </Modal>
  );
}
