import { Center, Loader, Skeleton, Stack, VisuallyHidden } from "@mantine/core";
import { useTranslation } from "react-i18next";

/** A whole page that is on its way. */
export function LoadingPage() {
  const { t } = useTranslation();
  return (
    <Center mih="60dvh" role="status">
      <Loader aria-hidden />
      <VisuallyHidden>{t("loading")}</VisuallyHidden>
    </Center>
  );
}

/** Rows of a card or table that are on their way. */
export function LoadingRows({ rows = 3, height = 56 }: { rows?: number; height?: number }) {
  const { t } = useTranslation();
  return (
    <Stack gap="sm" role="status">
      <VisuallyHidden>{t("loading")}</VisuallyHidden>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows of nothing have no other name
        <Skeleton key={row} height={height} radius="md" />
      ))}
    </Stack>
  );
}
