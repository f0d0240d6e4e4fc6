import { useTranslation } from "react-i18next";
import type { Provider } from "@/api/types";
import { useOperationWords } from "@/components/operation-words";
import { fieldsOf } from "@/components/schema-form/fields";
import type { Json } from "@/components/schema-form/json";
import type { SlotValues } from "./draft";
import { operationOf } from "./values";

type Asked = Pick<SlotValues, "provider" | "operation">;

export interface ValueWords {
  /** The name of a value, by its path: `display_name`, `settings.prompt`. */
  name: (path: string, asked: Asked) => string;
  /** A value in words. */
  value: (path: string, value: Json | undefined, asked: Asked) => string;
}

/** Names and values of a slot in the reader's language, for lists of changes. */
export function useValueWords(providers: readonly Provider[]): ValueWords {
  const { t } = useTranslation("slot");
  const words = useOperationWords();

  const setting = (path: string, { provider, operation }: Asked) => {
    const name = path.slice("settings.".length);
    const schema = operationOf(providers, provider, operation)?.settings_schema;
    const field = schema && fieldsOf(schema).find((each) => each.name === name);
    return words.field(provider, operation, field ?? { name });
  };
  const yesNo = (value: Json) => (value === true ? t("form.on") : t("form.off"));
  const inWords: Record<string, (value: Json, asked: Asked) => string | undefined> = {
    is_active: yesNo,
    provider: (value) => words.provider(String(value), providers.find(({ id }) => id === value)?.title),
    operation: (value, { provider }) =>
      words.operation(provider, String(value), operationOf(providers, provider, String(value))?.title),
    template_media: (value) => t("change.templates", { count: Number(value) }),
    dedupe: (value) => ({ on: t("advanced.dedupeOn"), off: t("advanced.dedupeOff") })[String(value)],
    on_failure: (value) =>
      ({ error: t("advanced.failureError"), original: t("advanced.failureOriginal") })[String(value)],
    late_results: (value) =>
      ({ discard: t("advanced.lateDiscard"), keep: t("advanced.lateKeep") })[String(value)],
    output_format: (value) => (value === "as_is" ? t("advanced.formatAsIs") : String(value).toUpperCase()),
    response_mode: (value) =>
      ({ image: t("advanced.responseImage"), multipart: t("advanced.responseMultipart") })[String(value)],
  };

  return {
    name: (path, asked) => {
      if (path.startsWith("settings.")) return setting(path, asked).title;
      return isValueName(path) ? t(`value.${path}`) : path;
    },
    value: (path, value, asked) => {
      if (value === undefined) return t("change.none");
      if (value === null) return path.startsWith("settings.") ? t("form.empty") : t("advanced.platform");
      if (typeof value === "boolean") return yesNo(value);
      if (value === "") return t("form.empty");
      if (path.startsWith("settings.")) {
        return typeof value === "string" ? setting(path, asked).option(value) : JSON.stringify(value);
      }
      return inWords[path]?.(value, asked) ?? String(value);
    },
  };
}

const NAMES = [
  "display_name",
  "is_active",
  "provider",
  "operation",
  "settings",
  "template_media",
  "size_limit_mb",
  "sync_response_seconds",
  "running_limit",
  "queue_length",
  "dedupe",
  "on_failure",
  "late_results",
  "output_format",
  "response_mode",
  "ingest_password",
] as const;

function isValueName(path: string): path is (typeof NAMES)[number] {
  return NAMES.some((name) => name === path);
}
