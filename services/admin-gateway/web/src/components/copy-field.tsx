import { ActionIcon, Group, Text, Tooltip } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import classes from "./copy-field.module.css";
import { copyText } from "./copy-text";

interface CopyFieldProps {
  value: string;
  /** What it is, for the button's name: "ingest link of Slot 1". */
  what: string;
  /** More buttons at the end: a QR code, say. */
  children?: ReactNode;
}

/** A text to take along, with a button that copies it. */
export function CopyField({ value, what, children }: CopyFieldProps) {
  return (
    <Group gap={0} wrap="nowrap" className={classes["field"] ?? ""}>
      <Text component="span" fz="sm" truncate className={classes["value"] ?? ""} title={value}>
        {value}
      </Text>
      <CopyButton value={value} what={what} />
      {children}
    </Group>
  );
}

/** The button alone. */
export function CopyButton({ value, what }: Omit<CopyFieldProps, "children">) {
  const { t } = useTranslation();
  const [state, setState] = useState<"idle" | "copied" | "failed">("idle");
  const rest = useTimeout(() => setState("idle"), 2500);
  const copy = async () => {
    setState((await copyText(value)) ? "copied" : "failed");
    rest.start();
  };
  const told = { idle: t("copy.copy"), copied: t("copy.copied"), failed: t("copy.failed") }[state];
  return (
    <>
      <Tooltip label={told} {...(state === "idle" ? {} : { opened: true })}>
        <ActionIcon
          variant="subtle"
          size="lg"
          radius="xl"
          aria-label={t("copy.label", { what })}
          onClick={copy}
        >
          {state === "copied" ? <IconCheck size={18} aria-hidden /> : <IconCopy size={18} aria-hidden />}
        </ActionIcon>
      </Tooltip>
      <span role="status" className={classes["told"] ?? ""}>
        {state === "idle" ? "" : told}
      </span>
    </>
  );
}
