import { Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import i18next from "i18next";
import type { ReactNode } from "react";

interface Question {
  title: string;
  text: ReactNode;
  /** The verb on the button: "Switch off", never "OK". */
  confirm: string;
  cancel?: string;
  /** Red, for what cannot be undone. */
  destructive?: boolean;
}

/** Asks before something that hurts; false when the dialog is closed in any other way. */
export function confirm({ title, text, confirm, cancel, destructive = false }: Question): Promise<boolean> {
  return new Promise((resolve) => {
    modals.openConfirmModal({
      title,
      children: typeof text === "string" ? <Text fz="sm">{text}</Text> : text,
      labels: { confirm, cancel: cancel ?? i18next.t("confirm.cancel") },
      confirmProps: destructive ? { color: "red.8" } : {},
      cancelProps: { "data-autofocus": true },
      closeButtonProps: { "aria-label": i18next.t("close") },
      onConfirm: () => resolve(true),
      onClose: () => resolve(false),
    });
  });
}
