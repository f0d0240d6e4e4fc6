import { ColorInput } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { type ControlProps, textOf } from "./control";

const SWATCHES = [
  "#FFFFFF",
  "#E9E4DA",
  "#D9D9D9",
  "#8C8C8C",
  "#1C1C1C",
  "#8FB3C9",
  "#1F3A52",
  "#0F8A6C",
  "#C9D8B6",
  "#F3C6C6",
  "#B03A48",
  "#F2C14E",
];

/** A colour as #RRGGBB; may be emptied where the schema lets it. */
export function ColorControl({ field, words, value, error, onChange }: ControlProps<"color">) {
  const { t } = useTranslation("slot");
  return (
    <ColorInput
      label={words.title}
      description={words.description}
      error={error}
      withAsterisk={field.required}
      placeholder={field.optional ? t("form.colorClear") : "#RRGGBB"}
      format="hex"
      swatches={SWATCHES}
      swatchesPerRow={6}
      maw={280}
      // Half a colour is told as such, not replaced by the last whole one.
      fixOnBlur={false}
      withEyeDropper={false}
      value={textOf(value)}
      onChange={(color) => onChange(color.toUpperCase())}
    />
  );
}
