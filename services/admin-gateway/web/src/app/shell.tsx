import { Burger, Drawer, Group, NavLink, Stack } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { use, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link, Outlet, ScrollRestoration, useLocation } from "react-router";
import { Brand } from "@/components/brand";
import { LiveEventsContext } from "@/components/live";
import { AccountMenu } from "./account-menu";
import { LiveIndicator } from "./live-indicator";
import { menuAddressOf, PAGES } from "./navigation";
import classes from "./shell.module.css";

/** What surrounds every page once signed in. */
export function Shell() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const current = menuAddressOf(pathname);
  const events = use(LiveEventsContext);
  const [menuOpen, menu] = useDisclosure(false);

  useEffect(() => events?.start(), [events]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new path is the event
  useEffect(() => menu.close(), [pathname]);

  return (
    <>
      <a href="#content" className={classes["skip"]}>
        {t("skip")}
      </a>
      <header className={classes["header"]}>
        <Group className={classes["bar"] ?? ""} wrap="nowrap" gap="md">
          <Burger
            hiddenFrom="md"
            size="sm"
            opened={menuOpen}
            onClick={menu.open}
            aria-label={t("nav.open")}
            aria-expanded={menuOpen}
          />
          <Link to="/" className={classes["brand"] ?? ""} aria-label={`${t("product")}: ${t("nav.slots")}`}>
            <Brand />
          </Link>
          <nav aria-label={t("nav.label")} className={classes["nav"]}>
            {PAGES.map(({ to, name }) => (
              <Link
                key={to}
                to={to}
                aria-current={to === current ? "page" : undefined}
                className={classes["link"] ?? ""}
              >
                {t(`nav.${name}`)}
              </Link>
            ))}
          </nav>
          <Group gap="sm" wrap="nowrap" ml="auto">
            <LiveIndicator />
            <AccountMenu />
          </Group>
        </Group>
      </header>
      <Drawer
        opened={menuOpen}
        onClose={menu.close}
        title={t("product")}
        size="17rem"
        closeButtonProps={{ "aria-label": t("nav.close") }}
      >
        <Stack component="nav" gap={4} aria-label={t("nav.label")}>
          {PAGES.map(({ to, name, icon: Icon }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              aria-current={to === current ? "page" : undefined}
              label={t(`nav.${name}`)}
              leftSection={<Icon size={20} stroke={1.7} aria-hidden />}
              className={classes["drawerLink"] ?? ""}
            />
          ))}
        </Stack>
      </Drawer>
      <main id="content" tabIndex={-1} className={classes["main"]}>
        <Outlet />
      </main>
      <ScrollRestoration />
    </>
  );
}
