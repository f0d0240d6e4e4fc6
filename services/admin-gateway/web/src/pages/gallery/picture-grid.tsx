import { Button, Group, Stack, Text, Title, UnstyledButton } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { RecentResult } from "@/api/types";
import { Photo } from "@/components/photo";
import { exactTime, TimeAgo } from "@/components/time-ago";
import classes from "./gallery.module.css";
import { Lightbox } from "./lightbox";

interface PictureGridProps {
  slotName: string;
  results: RecentResult[];
  /** Leads to all pictures of this slot. */
  onShowAll?: () => void;
}

/** Thumbnails of one slot; each opens the viewer. */
export function PictureGrid({ slotName, results, onShowAll }: PictureGridProps) {
  const { t, i18n } = useTranslation("gallery");
  // By job, not by place: new pictures come in front while one looks.
  const [openJob, setOpenJob] = useState<string | null>(null);
  return (
    <Stack component="section" gap="sm" aria-label={t("pictures", { name: slotName })}>
      <Group justify="space-between">
        <Title order={2}>{slotName}</Title>
        {onShowAll && (
          <Button
            variant="subtle"
            size="compact-md"
            fz="sm"
            onClick={onShowAll}
            aria-label={`${t("only")}: ${slotName}`}
          >
            {t("only")}
          </Button>
        )}
      </Group>
      <ul className={classes["grid"]}>
        {results.map((result) => (
          <li key={result.job_id}>
            <UnstyledButton
              className={classes["thumbnail"] ?? ""}
              onClick={() => setOpenJob(result.job_id)}
              aria-haspopup="dialog"
              aria-label={t("open", {
                name: slotName,
                time: exactTime(result.finished_at, i18n.language),
              })}
            >
              <Photo src={result.thumbnail_url} alt="" ratio={3 / 4} />
            </UnstyledButton>
            <Text fz="xs" c="dimmed" ta="center" mt={6}>
              <TimeAgo at={result.finished_at} />
            </Text>
          </li>
        ))}
      </ul>
      <Lightbox slotName={slotName} results={results} openJob={openJob} onOpen={setOpenJob} />
    </Stack>
  );
}
