import i18next from "i18next";
import { ApiError, type FieldError } from "@/api/errors";

/** Refusals whose whole meaning is in what they say of fields. */
const ABOUT_FIELDS = new Set(["invalid_request_body", "invalid_settings"]);

/** What went wrong, in the reader's language: by its code alone, where it came later than this page. */
export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) return i18next.t("unknown", { ns: "errors" });
  const key = `errors:${error.reason}`;
  if (i18next.exists(key)) return i18next.t(key as "errors:unknown"); // Just found to exist.
  return serverWords(error.details, i18next.t("later", { ns: "errors", reason: error.reason }));
}

/**
 * What is wrong with a field the server would not take; `name` is what the page calls it.
 *
 * The server says that in English words, for which there is no code: others are told which field it was.
 */
export function describeField(error: ApiError, { message }: FieldError, name: string): string {
  if (!ABOUT_FIELDS.has(error.reason)) return describeError(error);
  return serverWords(message, i18next.t("field", { ns: "errors", name }));
}

/** The same of a form that has one field: what is wrong with it, or with the whole. */
export function describeOnlyField(error: unknown, name: string): string {
  const field = error instanceof ApiError ? error.fields[0] : undefined;
  return error instanceof ApiError && field ? describeField(error, field, name) : describeError(error);
}

/** The server's words, where it has some, to who reads English; `ours` to everybody else. */
export function serverWords(words: string, ours: string): string {
  return (i18next.language === "en" && words) || ours;
}
