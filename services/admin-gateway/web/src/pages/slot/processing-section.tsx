import { Alert, Anchor, Group, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useOperationWords } from "@/components/operation-words";
import { fieldsOf } from "@/components/schema-form/fields";
import { SchemaForm } from "@/components/schema-form/schema-form";
import type { KnownField } from "@/components/schema-form/text-area-control";
import { withOperation } from "./draft";
import type { FormState } from "./form-state";
import { Section } from "./section";
import { operationOf } from "./values";

interface ProcessingSectionProps {
  form: FormState;
  knownFields: readonly KnownField[];
}

/** Who edits the photos, and how: provider, operation and the operation's own settings. */
export function ProcessingSection({ form, knownFields }: ProcessingSectionProps) {
  const { slot, draft, operation, providers, errors, update } = form;
  const { t, i18n } = useTranslation("slot");
  const words = useOperationWords();
  const provider = providers.find(({ id }) => id === draft.provider);
  const fields = useMemo(() => (operation ? fieldsOf(operation.settings_schema) : []), [operation]);
  const keyless = providers.filter(({ configured }) => !configured);

  const choose = (providerId: string, operationId: string | undefined) => {
    const next = operationOf(providers, providerId, operationId ?? "");
    if (next) update((now) => withOperation(now, providerId, next));
  };
  const needs = operation && [
    t("processing.needsPhoto"),
    ...operation.needs
      .filter(({ required }) => required)
      .map(({ role, title }) =>
        t("processing.needsTemplate", { role: words.role(draft.provider, role, title) }),
      ),
    ...(fields.some((field) => field.kind === "long-text" && field.required)
      ? [t("processing.needsPrompt")]
      : []),
  ];

  return (
    <Section title={t("processing.title")}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <Select
          label={t("processing.provider")}
          data={providers.map(({ id, title, configured }) => ({
            value: id,
            label: words.provider(id, title) + (configured ? "" : ` (${t("processing.noKey")})`),
            // What the slot has already stays choosable.
            disabled: !configured && id !== slot.provider,
          }))}
          value={draft.provider}
          allowDeselect={false}
          error={errors.values["provider"]}
          onChange={(id) => {
            const chosen = providers.find((each) => each.id === id);
            const same = chosen?.operations.find((each) => each.id === draft.operation);
            if (chosen) choose(chosen.id, (same ?? chosen.operations[0])?.id);
          }}
        />
        <Select
          label={t("processing.operation")}
          data={(provider?.operations ?? []).map(({ id, title }) => ({
            value: id,
            label: words.operation(draft.provider, id, title),
          }))}
          value={draft.operation}
          allowDeselect={false}
          error={operation ? errors.values["operation"] : t("processing.gone")}
          onChange={(id) => id !== null && choose(draft.provider, id)}
        />
      </SimpleGrid>
      {keyless.length > 0 && (
        <Group gap="xs">
          <Text fz="sm" c="dimmed">
            {t("processing.noKeyHelp", {
              provider: keyless.map(({ id, title }) => words.provider(id, title)).join(", "),
            })}
          </Text>
          <Anchor component={Link} to="/settings" fz="sm">
            {t("processing.addKey")}
          </Anchor>
        </Group>
      )}
      {needs && (
        <Alert role="note" variant="light" icon={<IconInfoCircle aria-hidden />} py="sm">
          <Stack gap={2}>
            {words.summary(draft.provider, draft.operation) && (
              <Text fz="sm" fw={600}>
                {words.summary(draft.provider, draft.operation)}
              </Text>
            )}
            <Text fz="sm">
              {t("processing.needs", { what: new Intl.ListFormat(i18n.language).format(needs) })}
            </Text>
          </Stack>
        </Alert>
      )}
      {operation && (
        <SchemaForm
          key={`${draft.provider}/${draft.operation}`}
          fields={fields}
          values={draft.settings}
          errors={errors.settings}
          wordsOf={(field) => words.field(draft.provider, draft.operation, field)}
          knownFields={knownFields}
          onChange={(name, value) =>
            update((now) => ({ ...now, settings: { ...now.settings, [name]: value } }))
          }
        />
      )}
      {errors.values["settings"] && (
        <Text c="var(--mantine-color-error)" fz="sm" role="alert">
          {errors.values["settings"]}
        </Text>
      )}
    </Section>
  );
}
