import { Anchor, Box, Card, Group, Stack, Text, Title } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import classes from "./failure-words.module.css";
import { failureKey, remedyOf } from "./reasons";

/** A failure of a job, in the reader's language. */
export interface FailureWords {
  readonly title: string;
  readonly meaning: string;
  readonly todo: string;
}

/** Explains failures by their codes. */
export function useFailureWords(): (reason: string) => FailureWords {
  const { t } = useTranslation("reasons");
  return (reason) => {
    const key = failureKey(reason);
    return {
      title: t(`${key}.title`),
      meaning: key === "unknown" ? t("unknown.meaning", { reason }) : t(`${key}.meaning`),
      todo: t(`${key}.todo`),
    };
  };
}

interface FailureExplainedProps {
  reason: string;
  /** What the platform said, where it said something. */
  message?: string | null | undefined;
  /** Where the slot's page is offered as a remedy; null: there is no slot, or one is on its page already. */
  slotId: string | null;
}

/** Why a job has no picture of the provider's, what that means, and what to do. */
export function FailureExplained({ reason, message, slotId }: FailureExplainedProps) {
  const { t } = useTranslation("reasons");
  const { title, meaning, todo } = useFailureWords()(reason);
  const remedy = remedyOf(reason);
  return (
    <Card
      component="section"
      className={classes["card"] ?? ""}
      data-tone={reason === "timeout" ? "warn" : "bad"}
    >
      <Stack gap="sm">
        <Group gap="xs" wrap="nowrap" className={classes["title"] ?? ""}>
          <IconAlertTriangle size={22} aria-hidden />
          <Title order={2} size="h3">
            {title}
          </Title>
        </Group>
        <Text fz="sm">{meaning}</Text>
        <Box>
          <Text fz="sm" fw={650}>
            {t("whatToDo")}
          </Text>
          <Text fz="sm">{todo}</Text>
        </Box>
        {message && (
          <Text fz="sm" c="dimmed">
            {t("inItsWords")}: {message} <Text span ff="monospace" fz="xs">{`(${reason})`}</Text>
          </Text>
        )}
        {remedy && (remedy === "settings" || slotId !== null) && (
          <Group gap="md">
            <Anchor
              fz="sm"
              fw={600}
              component={Link}
              to={remedy === "settings" ? "/settings" : `/slots/${slotId}`}
            >
              {remedy === "settings" ? t("toSettings") : t("toSlot")}
            </Anchor>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
