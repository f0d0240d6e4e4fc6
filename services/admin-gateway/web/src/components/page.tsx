import { Container, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { useLocation } from "react-router";

interface PageProps {
  /** The h1, and the beginning of the window's title. */
  title: string;
  /** A line under the title. */
  subtitle?: ReactNode;
  /** What stands above the title: the way back, say. */
  above?: ReactNode;
  /** Buttons to the right of the title. */
  actions?: ReactNode;
  children: ReactNode;
}

let firstPage = true;

/** The frame of every page: heading, window title, and the focus after a change of route. */
export function Page({ title, subtitle, above, actions, children }: PageProps) {
  const { pathname } = useLocation();
  const heading = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new path is the event, though nothing here reads it
  useEffect(() => {
    // The browser itself announces the first page.
    if (!firstPage) heading.current?.focus({ preventScroll: true });
    firstPage = false;
  }, [pathname]);

  return (
    <Container size="var(--pc-page-width)" px={{ base: "md", sm: "xl" }} py={{ base: "lg", sm: 36 }}>
      <title>{`${title} · PhotoChanger`}</title>
      <Stack gap="xl">
        <Group justify="space-between" align="flex-end" gap="md">
          <Stack gap={4}>
            {above}
            <Title order={1} ref={heading} tabIndex={-1}>
              {title}
            </Title>
            {subtitle && (
              <Text component="div" c="dimmed">
                {subtitle}
              </Text>
            )}
          </Stack>
          {actions && <Group gap="sm">{actions}</Group>}
        </Group>
        {children}
      </Stack>
    </Container>
  );
}
