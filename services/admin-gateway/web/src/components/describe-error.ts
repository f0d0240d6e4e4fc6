import i18next from "i18next";
import { ApiError } from "@/api/errors";

/** What went wrong, in the reader's language; what the server said, for reasons this page does not know. */
export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) return i18next.t("unknown", { ns: "errors" });
  const key = `errors:${error.reason}`;
  if (i18next.exists(key)) return i18next.t(key as "errors:unknown"); // Just found to exist.
  return error.details || i18next.t("unknown", { ns: "errors" });
}
