import { Button, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { ownPath } from "@/api/own-path";
import type { JobDetails } from "@/api/types";
import { Compare } from "@/components/compare/compare";
import { CopyField } from "@/components/copy-field";
import { formatBytes, formatInstant } from "@/components/figures/format";
import { isFinal } from "@/components/jobs/model";
import { Photo } from "@/components/photo";
import { QrButton } from "@/components/qr-button";
import { useNow } from "@/components/time-ago";

/** The camera's photo and the picture made of it, as far as they are kept. */
export function Pictures({ job }: { job: JobDetails }) {
  const { t, i18n } = useTranslation("jobs");
  const now = useNow();
  const { result } = job;
  const expired = Boolean(result?.expires_at && Date.parse(result.expires_at) <= now);
  const before = job.input.kept ? job.input.url : null;
  const after = result && !expired ? result.url : null;
  // The original in place of a picture is the photo itself: there is nothing to compare.
  const comparable = before && after && job.result_origin !== "original";
  const ofProgram = job.source === "api";
  const photo = ofProgram ? t("job.beforeProgram") : t("job.before");
  const size = result
    ? `${result.width_px} × ${result.height_px}, ${formatBytes(result.size_bytes, i18n.language)}`
    : "";
  return (
    <Card>
      <Stack gap="md">
        <Group justify="space-between">
          <Title order={2} size="h3">
            {t("job.pictures")}
          </Title>
          {job.result_origin && job.result_origin !== "provider" && (
            <Text fz="sm" c="dimmed">
              {t(`origin.${job.result_origin}`)}
            </Text>
          )}
        </Group>
        {comparable ? (
          <Compare
            before={{ src: ownPath(before), label: photo }}
            after={{ src: ownPath(after), label: t("job.after") }}
            label={t("job.compare")}
          />
        ) : (
          <SimpleGrid cols={2} spacing="md">
            <OnePicture
              src={before}
              title={photo}
              missing={ofProgram ? t("job.inputGoneProgram") : t("job.inputGone")}
            />
            <OnePicture src={after} title={t("job.after")} missing={whyNone(job, expired)} />
          </SimpleGrid>
        )}
        {after && result && (
          <Stack gap="xs">
            <CopyField value={after} what={t("job.resultLink")}>
              <QrButton value={after} what={t("job.resultLink")} />
            </CopyField>
            <Group justify="space-between" gap="xs">
              <Text fz="sm" c="dimmed">
                {size}
                {result.expires_at &&
                  `. ${t("job.keptUntil", { when: formatInstant(result.expires_at, i18n.language) })}`}
              </Text>
              <Button
                component="a"
                href={ownPath(after)}
                download
                variant="default"
                size="xs"
                leftSection={<IconDownload size={16} aria-hidden />}
              >
                {t("job.download")}
              </Button>
            </Group>
          </Stack>
        )}
      </Stack>
    </Card>
  );

  function whyNone(of: JobDetails, isExpired: boolean): string {
    if (isExpired) return t("job.resultExpired");
    return isFinal(of.status) ? t("job.noResult") : t("job.resultPending");
  }
}

function OnePicture({ src, title, missing }: { src: string | null; title: string; missing: string }) {
  return (
    <Stack component="figure" gap="xs" m={0}>
      <Photo src={src} alt={title} fit="contain" ratio={4 / 3} />
      <Text component="figcaption" fz="sm" c="dimmed">
        {src ? title : `${title}: ${missing}`}
      </Text>
    </Stack>
  );
}
