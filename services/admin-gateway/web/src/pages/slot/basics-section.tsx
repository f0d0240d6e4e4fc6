import { Switch, TextInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { FormState } from "./form-state";
import { Section } from "./section";

/** The slot's name, and whether it takes photos. */
export function BasicsSection({ form: { draft, errors, set } }: { form: FormState }) {
  const { t } = useTranslation("slot");
  return (
    <Section title={t("basics.title")}>
      <TextInput
        label={t("basics.name")}
        description={t("basics.nameHelp")}
        placeholder={t("basics.namePlaceholder")}
        withAsterisk
        maxLength={200}
        value={draft.display_name}
        error={errors.values["display_name"]}
        onChange={(event) => set({ display_name: event.currentTarget.value })}
      />
      <Switch
        size="md"
        label={t("basics.active")}
        description={t("basics.activeHelp")}
        checked={draft.is_active}
        onChange={(event) => set({ is_active: event.currentTarget.checked })}
      />
    </Section>
  );
}
