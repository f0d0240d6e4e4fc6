import { Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import type { ControlProps } from "./control";
import { type Json, sameJson } from "./json";

/** For what the form has no control for: the value as JSON text. */
export function JsonControl({ field, words, value, error, onChange }: ControlProps<"json">) {
  const { t } = useTranslation("slot");
  const [typed, setTyped] = useState({ text: written(value), value });
  // The value changed from outside: another version, or a discarded draft.
  if (!sameJson(typed.value, value)) setTyped({ text: written(value), value });
  const broken = parsed(typed.text) === undefined;
  return (
    <Textarea
      label={words.title}
      description={[words.description, t("form.json")].filter(Boolean).join(" ")}
      error={broken ? t("form.jsonBroken") : error}
      withAsterisk={field.required}
      autosize
      minRows={3}
      maxRows={16}
      spellCheck={false}
      styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
      value={typed.text}
      onChange={(event) => {
        const text = event.currentTarget.value;
        const next = parsed(text);
        // Text that is no JSON is kept as a string: the schema then refuses it, so it cannot be saved by accident.
        const kept = next === undefined ? text : next;
        setTyped({ text, value: kept });
        onChange(kept);
      }}
    />
  );
}

function written(value: Json | undefined): string {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
