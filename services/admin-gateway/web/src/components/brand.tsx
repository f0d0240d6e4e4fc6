import { Group, Text } from "@mantine/core";

/** Mark and name. */
export function Brand() {
  return (
    <Group gap="sm" wrap="nowrap">
      <svg width="2.125rem" height="2.125rem" viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="9" fill="#0f8a6c" />
        <rect x="6.5" y="9" width="19" height="14.5" rx="4" fill="none" stroke="#fff" strokeWidth="2.4" />
        <path
          d="M11 19.5c1.6-3.4 3.2-5 5-5s3.4 1.6 5 5"
          fill="none"
          stroke="#fff"
          strokeWidth="2.4"
          strokeLinecap="round"
        />
      </svg>
      <Text component="span" fw={720} fz="1.0625rem" c="var(--pc-accent-text)">
        PhotoChanger
      </Text>
    </Group>
  );
}
