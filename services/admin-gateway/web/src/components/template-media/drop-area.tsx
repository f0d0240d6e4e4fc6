import { Text } from "@mantine/core";
import { IconPhotoUp } from "@tabler/icons-react";
import { type DragEvent, type ReactNode, useId, useState } from "react";
import classes from "./drop-area.module.css";
import { PICTURE_TYPES } from "./picture";

interface DropAreaProps {
  /** The input's name. */
  label: string;
  /** What to do here, where it differs from the name. */
  text?: string;
  help?: string;
  /** Stands in for the icon and the texts: a preview, say. */
  children?: ReactNode;
  multiple?: boolean;
  disabled?: boolean;
  invalid?: boolean;
  compact?: boolean;
  onFiles: (files: File[]) => void;
}

/** A place to drop pictures on, or to click: a file input with a large label. */
export function DropArea({ label, text, help, children, onFiles, ...looks }: DropAreaProps) {
  const { multiple = false, disabled = false, invalid = false, compact = false } = looks;
  const id = useId();
  const [over, setOver] = useState(false);
  const take = (files: FileList | null) => {
    const taken = [...(files ?? [])].slice(0, multiple ? undefined : 1);
    if (taken.length > 0) onFiles(taken);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    if (!disabled) take(event.dataTransfer.files);
  };
  return (
    <label
      className={classes["area"]}
      data-over={over}
      data-invalid={invalid}
      data-disabled={disabled}
      data-compact={compact}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(!disabled);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <input
        id={id}
        type="file"
        className={classes["input"]}
        accept={PICTURE_TYPES.join(",")}
        multiple={multiple}
        disabled={disabled}
        aria-label={label}
        aria-invalid={invalid}
        onChange={(event) => {
          take(event.currentTarget.files);
          // The same file again is a choice too.
          event.currentTarget.value = "";
        }}
      />
      {children ?? (
        <>
          <IconPhotoUp size={compact ? 24 : 34} stroke={1.5} aria-hidden />
          <Text component="span" fw={600} fz="sm">
            {text ?? label}
          </Text>
          {help && (
            <Text component="span" fz="xs" c="dimmed">
              {help}
            </Text>
          )}
        </>
      )}
    </label>
  );
}
