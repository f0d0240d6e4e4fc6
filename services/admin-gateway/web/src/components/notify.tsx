import { notifications } from "@mantine/notifications";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { describeError } from "./describe-error";

/** Says in passing that something worked. */
export function notifyDone(message: string): void {
  notifications.show({ message, color: "brand", icon: <IconCheck size={18} aria-hidden />, autoClose: 4000 });
}

/** Says that something did not work, and why; stays until it is closed. */
export function notifyError(error: unknown, title?: string): void {
  notifications.show({
    ...(title ? { title } : {}),
    message: describeError(error),
    color: "red",
    icon: <IconAlertTriangle size={18} aria-hidden />,
    autoClose: false,
    role: "alert",
  });
}
