import { Input, Stack } from "@mantine/core";
import type { ReactNode } from "react";
import type { FieldWords } from "../operation-words";

interface LabelledProps {
  words: Pick<FieldWords, "title" | "description">;
  error: string | undefined;
  required?: boolean;
  /** Given to the label, for `aria-labelledby` of controls that a `for` cannot reach. */
  labelId: string;
  children: ReactNode;
}

/** Label, description and error around a control that has none of its own. */
export function Labelled({ words, error, required = false, labelId, children }: LabelledProps) {
  return (
    <Stack gap={4}>
      <Input.Label component="div" id={labelId} required={required}>
        {words.title}
      </Input.Label>
      {words.description && <Input.Description>{words.description}</Input.Description>}
      {children}
      {error && (
        <Input.Error id={`${labelId}-error`} role="alert">
          {error}
        </Input.Error>
      )}
    </Stack>
  );
}
