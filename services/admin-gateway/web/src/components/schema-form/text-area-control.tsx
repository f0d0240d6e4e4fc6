import { Button, Group, Popover, Stack, Text, Textarea, TextInput, UnstyledButton } from "@mantine/core";
import { IconBraces } from "@tabler/icons-react";
import { type FormEvent, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { type ControlProps, textOf } from "./control";
import { hasBrokenPlaceholder, inserted, isPlaceholderName } from "./placeholders";
import classes from "./text-area-control.module.css";

/** A form field cameras send, offered for prompts. */
export interface KnownField {
  name: string;
  /** What it is, or what it said last. */
  help: string;
}

interface TextAreaControlProps extends ControlProps<"long-text"> {
  knownFields: readonly KnownField[];
}

/** A long text; with placeholders where the schema allows them. */
export function TextAreaControl({ field, words, value, error, onChange, knownFields }: TextAreaControlProps) {
  const { t } = useTranslation("slot");
  const area = useRef<HTMLTextAreaElement>(null);
  /** Where the caret was left; null: it was never in the text, which a browser tells as 0. */
  const selection = useRef<{ start: number; end: number } | null>(null);
  const text = textOf(value);
  const insert = (name: string) => {
    const element = area.current;
    const next = inserted(text, name, selection.current ?? { start: text.length, end: text.length });
    onChange(next.text);
    // After React has written the new text and the list has closed.
    setTimeout(() => {
      element?.focus();
      element?.setSelectionRange(next.caret, next.caret);
    }, 50);
  };
  const near = field.maxLength !== undefined && text.length > field.maxLength * 0.8;
  return (
    <Stack gap={6}>
      <Textarea
        ref={area}
        label={words.title}
        description={words.description}
        error={error}
        withAsterisk={field.required}
        autosize
        minRows={field.placeholders ? 5 : 2}
        maxRows={18}
        value={text}
        onBlur={({ currentTarget: { selectionStart, selectionEnd } }) => {
          selection.current = { start: selectionStart, end: selectionEnd };
        }}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      {near && (
        <Text fz="xs" c="dimmed">
          {t("form.count", { count: text.length, limit: field.maxLength })}
        </Text>
      )}
      {field.placeholders && (
        <Group gap="xs" align="flex-start">
          <PlaceholderPicker knownFields={knownFields} onInsert={insert} />
          <Text fz="xs" c="dimmed" pt={4} flex="1 1 16rem">
            {t("form.placeholdersHelp", { shape: "{{name|guest}}" })}
          </Text>
        </Group>
      )}
      {field.placeholders && hasBrokenPlaceholder(text) && (
        <Text fz="sm" c="var(--mantine-color-error)" role="status">
          {t("form.placeholderBroken")}
        </Text>
      )}
    </Stack>
  );
}

interface PlaceholderPickerProps {
  knownFields: readonly KnownField[];
  onInsert: (name: string) => void;
}

function PlaceholderPicker({ knownFields, onInsert }: PlaceholderPickerProps) {
  const { t } = useTranslation("slot");
  const [opened, setOpened] = useState(false);
  const [name, setName] = useState("");
  const pick = (picked: string) => {
    setOpened(false);
    setName("");
    onInsert(picked);
  };
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (isPlaceholderName(name)) pick(name.trim());
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-start" width={300} trapFocus>
      <Popover.Target>
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<IconBraces size={16} aria-hidden />}
          style={{ flexShrink: 0 }}
          onClick={() => setOpened(!opened)}
        >
          {t("form.placeholders")}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs" aria-label={t("form.placeholders")}>
        <Stack gap={0} mah={280} style={{ overflowY: "auto" }}>
          {knownFields.map((known) => (
            <UnstyledButton
              key={known.name}
              className={classes["known"] ?? ""}
              onClick={() => pick(known.name)}
            >
              <Text fz="sm" ff="monospace">{`{{${known.name}}}`}</Text>
              <Text fz="xs" c="dimmed" lineClamp={1}>
                {known.help}
              </Text>
            </UnstyledButton>
          ))}
        </Stack>
        <form onSubmit={add}>
          <Group gap="xs" pt="xs" wrap="nowrap">
            <TextInput
              size="xs"
              flex={1}
              maxLength={64}
              aria-label={t("form.placeholderName")}
              placeholder={t("form.placeholderName")}
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <Button size="xs" type="submit" disabled={!isPlaceholderName(name)}>
              {t("form.placeholderAdd")}
            </Button>
          </Group>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
