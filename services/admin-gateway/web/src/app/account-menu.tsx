import { ActionIcon, Button, Divider, Popover, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconHistory, IconLogout, IconUser } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { api } from "@/api/client";
import { meQuery } from "@/api/queries";
import { setCsrfToken } from "@/api/session";
import { notifyError } from "@/components/notify";
import { Preferences } from "@/components/preferences";

/** Who is signed in, how the page looks, and the way out. */
export function AccountMenu() {
  const { t } = useTranslation();
  const [opened, popover] = useDisclosure(false);
  const name = useQuery(meQuery).data?.username ?? "";
  const queries = useQueryClient();
  const navigate = useNavigate();
  const signOut = useMutation({
    mutationFn: () => api.POST("/api/logout"),
    onSuccess: async () => {
      setCsrfToken(null);
      // Before the login page asks: nobody is signed in any more.
      queries.removeQueries({ queryKey: meQuery.queryKey });
      await navigate("/login");
      queries.clear();
    },
    onError: (error) => notifyError(error),
  });
  const item = { variant: "subtle", justify: "flex-start", fullWidth: true } as const;
  return (
    <Popover
      opened={opened}
      onChange={popover.toggle}
      position="bottom-end"
      width={320}
      trapFocus
      returnFocus
    >
      <Popover.Target>
        <ActionIcon
          variant="light"
          size={40}
          radius="xl"
          aria-label={t("account.menu", { name })}
          onClick={popover.toggle}
        >
          <IconUser size={20} stroke={1.8} aria-hidden />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown p="md">
        <Stack gap="md">
          <Text fz="sm" c="dimmed">
            {t("account.signedInAs")}{" "}
            <Text component="span" inherit fw={650} c="var(--mantine-color-text)">
              {name}
            </Text>
          </Text>
          <Preferences />
          <Divider />
          <Stack gap={4}>
            <Button
              {...item}
              component={Link}
              to="/settings/audit"
              onClick={popover.close}
              leftSection={<IconHistory size={18} aria-hidden />}
            >
              {t("nav.audit")}
            </Button>
            <Button
              {...item}
              loading={signOut.isPending}
              onClick={() => signOut.mutate()}
              leftSection={<IconLogout size={18} aria-hidden />}
            >
              {t("account.signOut")}
            </Button>
          </Stack>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
