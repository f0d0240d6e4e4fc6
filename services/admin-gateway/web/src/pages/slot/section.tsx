import { Card, Group, Stack, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";

interface SectionProps {
  title: string;
  help?: string;
  actions?: ReactNode;
  children: ReactNode;
}

/** A dialog's title, as large as that of a section. */
export const DIALOG_TITLE = { title: { fontSize: "1.25rem", fontWeight: 680 } };

/** A card of the page, with a heading that names it as a region. */
export function Section({ title, help, actions, children }: SectionProps) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id} p={{ base: "md", sm: "xl" }}>
      <Stack gap="lg">
        <Group justify="space-between" gap="sm" wrap="nowrap" align="flex-start">
          <div>
            <Title order={2} id={id}>
              {title}
            </Title>
            {help && (
              <Text c="dimmed" fz="sm" mt={2}>
                {help}
              </Text>
            )}
          </div>
          {actions}
        </Group>
        {children}
      </Stack>
    </Card>
  );
}
