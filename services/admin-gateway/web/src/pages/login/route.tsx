import { ActionIcon, Card, Popover, Stack, Text, Title } from "@mantine/core";
import { IconLanguage } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Brand } from "@/components/brand";
import { Preferences } from "@/components/preferences";
import classes from "./login.module.css";
import { LoginForm } from "./login-form";

/** The page of those who are not signed in. */
export function Component() {
  const { t } = useTranslation("login");
  return (
    <main className={classes["page"]}>
      <title>{`${t("window")} · PhotoChanger`}</title>
      <Waves />
      <div className={classes["corner"]}>
        <Popover position="bottom-end" width={320} trapFocus returnFocus>
          <Popover.Target>
            <ActionIcon variant="default" size={40} radius="xl" aria-label={t("preferences")}>
              <IconLanguage size={20} stroke={1.7} aria-hidden />
            </ActionIcon>
          </Popover.Target>
          <Popover.Dropdown p="md">
            <Preferences />
          </Popover.Dropdown>
        </Popover>
      </div>
      <Card className={classes["card"] ?? ""} withBorder={false} radius="xl" p={{ base: "lg", xs: 36 }}>
        <Stack gap="lg">
          <Stack gap={6} align="center" ta="center">
            <Brand />
            <Title order={1} mt="md">
              {t("title")}
            </Title>
            <Text c="dimmed" fz="sm">
              {t("subtitle")}
            </Text>
          </Stack>
          <LoginForm />
        </Stack>
      </Card>
    </main>
  );
}

function Waves() {
  return (
    <svg className={classes["waves"]} viewBox="0 0 1440 520" preserveAspectRatio="none" aria-hidden="true">
      <path className={classes["back"]} d="M0 120C240 96 420 100 640 140s460 96 800 64v316H0Z" />
      <path className={classes["middle"]} d="M0 232c260-44 430 20 700 36s500-60 740-24v276H0Z" />
      <path className={classes["front"]} d="M0 356c200 36 420 34 660 10s520-34 780 20v134H0Z" />
    </svg>
  );
}
