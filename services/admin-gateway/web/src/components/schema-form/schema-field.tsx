import { Autocomplete, SegmentedControl, Select, Switch, TagsInput, TextInput } from "@mantine/core";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import type { FieldWords } from "../operation-words";
import { ColorControl } from "./color-control";
import { type ControlProps, textOf } from "./control";
import type { FormField } from "./fields";
import type { Json } from "./json";
import { JsonControl } from "./json-control";
import { Labelled } from "./labelled";
import { NumberControl } from "./number-control";
import { type KnownField, TextAreaControl } from "./text-area-control";

interface SchemaFieldProps {
  field: FormField;
  words: FieldWords;
  value: Json | undefined;
  error: string | undefined;
  onChange: (value: Json) => void;
  knownFields: readonly KnownField[];
}

/** The control that fits a field's kind. */
export function SchemaField({ field, knownFields, ...props }: SchemaFieldProps) {
  switch (field.kind) {
    case "text":
      return <TextControl field={field} {...props} />;
    case "long-text":
      return <TextAreaControl field={field} knownFields={knownFields} {...props} />;
    case "choice":
      return <ChoiceControl field={field} {...props} />;
    case "number":
      return <NumberControl field={field} {...props} />;
    case "switch":
      return <SwitchControl field={field} {...props} />;
    case "color":
      return <ColorControl field={field} {...props} />;
    case "list":
      return <ListControl field={field} {...props} />;
    case "json":
      return <JsonControl field={field} {...props} />;
  }
}

function TextControl({ field, words, value, error, onChange }: ControlProps<"text">) {
  const common = {
    label: words.title,
    description: words.description,
    error,
    withAsterisk: field.required,
    value: textOf(value),
  };
  // One more than allowed may be typed, so that the rule is seen rather than letters lost.
  const maxLength = field.maxLength === undefined ? {} : { maxLength: field.maxLength + 1 };
  return field.suggestions.length > 0 ? (
    <Autocomplete {...common} {...maxLength} data={field.suggestions} onChange={onChange} />
  ) : (
    <TextInput {...common} {...maxLength} onChange={(event) => onChange(event.currentTarget.value)} />
  );
}

const MOST_SEGMENTS = 4;
const MOST_SEGMENT_LETTERS = 36;

function ChoiceControl({ field, words, value, error, onChange }: ControlProps<"choice">) {
  const labelId = useId();
  const data = field.options.map((option) => ({ value: option, label: words.option(option) }));
  const letters = data.reduce((sum, { label }) => sum + label.length, 0);
  if (data.length > MOST_SEGMENTS || letters > MOST_SEGMENT_LETTERS) {
    return (
      <Select
        label={words.title}
        description={words.description}
        error={error}
        withAsterisk={field.required}
        data={data}
        value={textOf(value)}
        allowDeselect={false}
        onChange={(option) => option !== null && onChange(option)}
      />
    );
  }
  return (
    <Labelled words={words} error={error} required={field.required} labelId={labelId}>
      <SegmentedControl
        aria-labelledby={labelId}
        data={data}
        value={textOf(value)}
        onChange={onChange}
        radius="md"
        style={{ alignSelf: "flex-start" }}
      />
    </Labelled>
  );
}

function SwitchControl({ words, value, error, onChange }: ControlProps<"switch">) {
  return (
    <Switch
      label={words.title}
      description={words.description}
      error={error}
      checked={value === true}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
  );
}

function ListControl({ field, words, value, error, onChange }: ControlProps<"list">) {
  const { t } = useTranslation("slot");
  const shown = Array.isArray(value) ? value.map(String) : [];
  const taken = (texts: string[]): Json[] =>
    field.of === "text" ? texts : texts.map(Number).filter((number) => Number.isFinite(number));
  return (
    <TagsInput
      label={words.title}
      description={words.description}
      error={error}
      withAsterisk={field.required}
      placeholder={t("form.listAdd")}
      data={(field.options ?? []).map((option) => ({ value: option, label: words.option(option) }))}
      value={shown}
      {...(field.maxItems === undefined ? {} : { maxTags: field.maxItems })}
      onChange={(texts) => onChange(taken(texts))}
    />
  );
}
