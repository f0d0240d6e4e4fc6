import { Button, Collapse, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown } from "@tabler/icons-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { FieldWords } from "../operation-words";
import type { FormField } from "./fields";
import { isFineTuning } from "./fine-tuning";
import type { Json, JsonObject } from "./json";
import { SchemaField } from "./schema-field";
import type { KnownField } from "./text-area-control";
import { emptyValue } from "./values";

interface SchemaFormProps {
  fields: readonly FormField[];
  values: JsonObject;
  /** By name of the field. */
  errors: Readonly<Record<string, string>>;
  wordsOf: (field: FormField) => FieldWords;
  /** Form fields of cameras, for placeholders. */
  knownFields: readonly KnownField[];
  onChange: (name: string, value: Json) => void;
}

/** A form for the fields of a JSON Schema (see `fieldsOf`). */
export function SchemaForm({ fields, values, errors, wordsOf, knownFields, onChange }: SchemaFormProps) {
  const { t } = useTranslation("slot");
  const foldId = useId();
  const [asked, fold] = useDisclosure(false);
  const fine = fields.filter(isFineTuning);
  // A fold must not hide all there is, nor what is wrong.
  const folded = fine.length < fields.length ? fine : [];
  const opened = asked || folded.some((field) => field.name in errors);
  const shown = (field: FormField) => (
    <SchemaField
      key={field.name}
      field={field}
      words={wordsOf(field)}
      value={values[field.name] ?? emptyValue(field)}
      error={errors[field.name]}
      knownFields={knownFields}
      onChange={(value) => onChange(field.name, value)}
    />
  );
  if (fields.length === 0) return <Text c="dimmed">{t("processing.noFields")}</Text>;
  return (
    <Stack gap="lg">
      {fields.filter((field) => !folded.includes(field)).map(shown)}
      {folded.length > 0 && (
        <div>
          <Button
            variant="subtle"
            px="sm"
            ml={-12}
            aria-expanded={opened}
            aria-controls={foldId}
            rightSection={
              <IconChevronDown size={16} aria-hidden style={{ rotate: opened ? "180deg" : "0deg" }} />
            }
            onClick={fold.toggle}
          >
            {t("processing.fine")}
          </Button>
          <Collapse in={opened} id={foldId}>
            <Stack gap="lg" pt="md">
              {folded.map(shown)}
            </Stack>
          </Collapse>
        </div>
      )}
    </Stack>
  );
}
