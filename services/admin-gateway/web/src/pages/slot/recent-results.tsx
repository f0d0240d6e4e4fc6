import { Anchor, Group, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ownPath } from "@/api/own-path";
import type { Slot } from "@/api/types";
import { Photo } from "@/components/photo";
import { exactTime, relativeTime, TimeAgo, useNow } from "@/components/time-ago";
import classes from "./recent-results.module.css";
import { Section } from "./section";

/** The slot's last pictures; new ones come by themselves. */
export function RecentResults({ slot }: { slot: Slot }) {
  const { t, i18n } = useTranslation("slot");
  const { language } = i18n;
  const now = useNow();
  return (
    <Section
      title={t("recent.title")}
      actions={
        <Anchor component={Link} to="/gallery" fz="sm" fw={600} style={{ whiteSpace: "nowrap" }}>
          {t("recent.gallery")}
        </Anchor>
      }
    >
      {slot.recent_results.length === 0 ? (
        <Text c="dimmed" fz="sm">
          {t("recent.none")}
        </Text>
      ) : (
        <ul className={classes["strip"]}>
          {slot.recent_results.map((result) => (
            <li key={result.job_id} className={classes["result"]}>
              <a
                href={ownPath(result.public_url)}
                target="_blank"
                rel="noreferrer"
                {...(result.expires_at
                  ? { title: t("recent.expires", { when: exactTime(new Date(result.expires_at), language) }) }
                  : {})}
              >
                <Photo
                  src={result.thumbnail_url}
                  alt={t("recent.open", {
                    when: result.finished_at
                      ? relativeTime(new Date(result.finished_at), now, language)
                      : t("change.none"),
                  })}
                />
              </a>
              <Group gap="0 6px" justify="space-between" mt={4}>
                <Text fz="xs" c="dimmed" truncate>
                  <TimeAgo at={result.finished_at} />
                </Text>
                <Anchor component={Link} to={`/jobs/${result.job_id}`} fz="xs">
                  {t("recent.job")}
                </Anchor>
              </Group>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
