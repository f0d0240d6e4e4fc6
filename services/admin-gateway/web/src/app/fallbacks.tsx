import { Button, Center, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useRouteError } from "react-router";
import { ApiError } from "@/api/errors";
import { describeError } from "@/components/describe-error";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <Message title={t("notFound.title")} text={t("notFound.help")}>
      <Button component={Link} to="/">
        {t("notFound.home")}
      </Button>
    </Message>
  );
}

/** Stands in for a page that threw, or whose code could not be loaded (after a new release, say). */
export function BrokenPage() {
  const { t } = useTranslation();
  const error = useRouteError();
  const text = error instanceof ApiError ? describeError(error) : t("error.pageHelp");
  return (
    <Message title={t("error.page")} text={text}>
      <Button onClick={() => window.location.reload()}>{t("error.reload")}</Button>
    </Message>
  );
}

function Message({ title, text, children }: { title: string; text: string; children: React.ReactNode }) {
  return (
    <Center mih="60dvh" p="md">
      <title>{`${title} · PhotoChanger`}</title>
      <Stack align="center" ta="center" maw={440}>
        <Title order={1} size="h2">
          {title}
        </Title>
        <Text c="dimmed">{text}</Text>
        {children}
      </Stack>
    </Center>
  );
}
