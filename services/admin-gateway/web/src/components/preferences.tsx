import { SegmentedControl, Stack, Text, useMantineColorScheme } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { switchLanguage } from "@/i18n";
import { LANGUAGE_NAMES, LANGUAGES } from "@/i18n/languages";

const SCHEMES = ["light", "dark", "auto"] as const;

/** The reader's language, and light or dark: kept for the next visit. */
export function Preferences() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Stack gap="md">
      <Labelled label={t("language")}>
        {(labelId) => (
          <SegmentedControl
            aria-labelledby={labelId}
            fullWidth
            radius="xl"
            data={LANGUAGES.map((language) => ({ value: language, label: LANGUAGE_NAMES[language] }))}
            value={i18n.language}
            onChange={(chosen) => {
              const language = LANGUAGES.find((known) => known === chosen);
              if (language) void switchLanguage(language);
            }}
          />
        )}
      </Labelled>
      <Labelled label={t("scheme.label")}>
        {(labelId) => (
          <SegmentedControl
            aria-labelledby={labelId}
            fullWidth
            radius="xl"
            data={SCHEMES.map((scheme) => ({ value: scheme, label: t(`scheme.${scheme}`) }))}
            value={colorScheme}
            onChange={(chosen) => setColorScheme(SCHEMES.find((known) => known === chosen) ?? "auto")}
          />
        )}
      </Labelled>
    </Stack>
  );
}

function Labelled({ label, children }: { label: string; children: (labelId: string) => ReactNode }) {
  const id = useId();
  return (
    <Stack gap={6}>
      <Text fz="sm" fw={600} id={id}>
        {label}
      </Text>
      {children(id)}
    </Stack>
  );
}
