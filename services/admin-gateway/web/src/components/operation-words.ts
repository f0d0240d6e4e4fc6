import { useTranslation } from "react-i18next";
import type { FormField } from "./schema-form/fields";

export interface FieldWords {
  title: string;
  description: string;
  /** A choice in words. */
  option: (value: string) => string;
}

/** What providers offer, in the reader's language; in the provider's own words where we have none. */
export interface OperationWords {
  provider: (id: string, title?: string) => string;
  operation: (provider: string, id: string, title?: string) => string;
  /** One sentence about an operation; empty where there is none. */
  summary: (provider: string, operation: string) => string;
  role: (provider: string, id: string, title?: string) => string;
  field: (
    provider: string,
    operation: string,
    field: Pick<FormField, "name"> & Partial<FormField>,
  ) => FieldWords;
}

export function useOperationWords(): OperationWords {
  const { i18n } = useTranslation("operations");
  /** Ids come from the server, so they are looked up rather than checked by the types of our texts. */
  const word = (...path: string[]): string | undefined => {
    const found: unknown = i18n.getResource(i18n.language, "operations", path.join("."));
    return typeof found === "string" ? found : undefined;
  };
  return {
    provider: (id, title) => word("providers", id) ?? title ?? id,
    operation: (provider, id, title) => word("operations", provider, id) ?? title ?? id,
    summary: (provider, operation) => word("summaries", provider, operation) ?? "",
    role: (provider, id, title) => word("roles", provider, id) ?? title ?? id,
    field: (provider, operation, field) => {
      const of = (...part: string[]) =>
        word("fields", provider, operation, field.name, ...part) ??
        word("fields", provider, "any", field.name, ...part);
      return {
        title: of("title") ?? field.title ?? field.name,
        description: of("description") ?? field.description ?? "",
        option: (value) => of("options", value) ?? value,
      };
    },
  };
}
