import { ActionIcon, Menu, Text } from "@mantine/core";
import { IconHistory, IconLogout, IconUser } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { api } from "@/api/client";
import { meQuery } from "@/api/queries";
import { setCsrfToken } from "@/api/session";
import { notifyError } from "@/components/notify";
import { LanguageItems, SchemeItems } from "@/components/preferences";

/** Who is signed in, how the page looks, and the way out. */
export function AccountMenu() {
  const { t } = useTranslation();
  const name = useQuery(meQuery).data?.username ?? "";
  const queries = useQueryClient();
  const navigate = useNavigate();
  const signOut = useMutation({
    mutationFn: () => api.POST("/api/logout"),
    onSuccess: async () => {
      await navigate("/login");
      setCsrfToken(null);
      queries.clear();
    },
    onError: (error) => notifyError(error),
  });
  return (
    <Menu position="bottom-end" width={240} radius="lg" shadow="lg" keepMounted={false}>
      <Menu.Target>
        <ActionIcon variant="light" size={40} radius="xl" aria-label={t("account.menu", { name })}>
          <IconUser size={20} stroke={1.8} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {t("account.signedInAs")}{" "}
          <Text component="span" fw={650} c="var(--mantine-color-text)" inherit>
            {name}
          </Text>
        </Menu.Label>
        <Menu.Item component={Link} to="/settings/audit" leftSection={<IconHistory size={18} aria-hidden />}>
          {t("nav.audit")}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t("language")}</Menu.Label>
        <LanguageItems />
        <Menu.Divider />
        <Menu.Label>{t("scheme.label")}</Menu.Label>
        <SchemeItems />
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={18} aria-hidden />} onClick={() => signOut.mutate()}>
          {t("account.signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
