import { Alert, Button, Group, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconPhoto } from "@tabler/icons-react";
import type { ComponentType, ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError } from "@/api/errors";
import { describeError } from "./describe-error";

interface EmptyStateProps {
  title: string;
  text?: string;
  icon?: ComponentType<{ size?: number; stroke?: number }>;
  /** What to do about it. */
  children?: ReactNode;
}

/** There is nothing here, and why. */
export function EmptyState({ title, text, icon: Icon = IconPhoto, children }: EmptyStateProps) {
  return (
    <Stack align="center" gap="sm" py={48} px="md" ta="center">
      <ThemeIcon size={64} radius="xl" variant="light" aria-hidden>
        <Icon size={32} stroke={1.6} />
      </ThemeIcon>
      <Text fw={650} fz="lg">
        {title}
      </Text>
      {text && (
        <Text c="dimmed" maw={460}>
          {text}
        </Text>
      )}
      {children}
    </Stack>
  );
}

interface ErrorStateProps {
  error: unknown;
  /** Tries again; no button without it. */
  retry?: () => void;
  title?: string;
}

/** Something did not load or work: why, and what to do. */
export function ErrorState({ error, retry, title }: ErrorStateProps) {
  const { t } = useTranslation();
  const jobId = error instanceof ApiError ? error.jobId : null;
  return (
    <Alert
      color="red"
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title={title ?? t("error.title")}
    >
      <Stack gap="sm" align="flex-start">
        <Text fz="sm">{describeError(error)}</Text>
        <Group gap="sm">
          {retry && (
            <Button size="xs" variant="default" onClick={retry}>
              {t("error.retry")}
            </Button>
          )}
          {jobId && (
            <Button size="xs" variant="default" component={Link} to={`/jobs/${jobId}`}>
              {t("error.jobLink")}
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
