import { Group, NumberInput, Slider } from "@mantine/core";
import { useId } from "react";
import type { ControlProps } from "./control";
import type { NumberRules } from "./fields";
import { Labelled } from "./labelled";

const MOST_STEPS = 400;

/** A number: a slider beside the input where the bounds make one useful. */
export function NumberControl({ field, words, value, error, onChange }: ControlProps<"number">) {
  const labelId = useId();
  const bounds = sliderBounds(field);
  const number = typeof value === "number" ? value : undefined;
  const input = (
    <NumberInput
      aria-labelledby={labelId}
      aria-invalid={error !== undefined}
      error={error !== undefined}
      value={number ?? ""}
      allowDecimal={!field.whole}
      step={field.step}
      {...(field.minimum === undefined ? {} : { min: field.minimum, allowNegative: field.minimum < 0 })}
      {...(field.maximum === undefined ? {} : { max: field.maximum })}
      // What is out of bounds is told, not silently changed.
      clampBehavior="none"
      w={bounds ? 104 : 180}
      // An emptied input holds null, which no schema of a number takes: the field says so.
      onChange={(typed) => onChange(typeof typed === "number" ? typed : null)}
    />
  );
  return (
    <Labelled words={words} error={error} required={field.required} labelId={labelId}>
      {bounds ? (
        <Group wrap="nowrap" gap="lg">
          <Slider
            flex={1}
            miw={80}
            thumbLabel={words.title}
            min={bounds.min}
            max={bounds.max}
            step={field.step}
            label={null}
            value={number ?? bounds.min}
            onChange={onChange}
          />
          {input}
        </Group>
      ) : (
        input
      )}
    </Labelled>
  );
}

function sliderBounds({ minimum, maximum, step }: NumberRules): { min: number; max: number } | null {
  if (minimum === undefined || maximum === undefined) return null;
  return (maximum - minimum) / step <= MOST_STEPS ? { min: minimum, max: maximum } : null;
}
