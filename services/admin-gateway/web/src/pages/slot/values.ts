import type { Operation, Provider, Slot, SlotChange, SlotVersion } from "@/api/types";
import { fieldsOf } from "@/components/schema-form/fields";
import type { JsonObject } from "@/components/schema-form/json";
import { withDefaults } from "@/components/schema-form/values";
import { changedValues, type Draft, jsonObject, type SlotValues } from "./draft";

/** Of an operation, what this page works with. */
export interface OperationRules {
  id: string;
  title: string;
  settings_schema: JsonObject;
  needs: Operation["needs"];
  uses_prompt: boolean;
}

export function operationOf(
  providers: readonly Provider[],
  provider: string,
  operation: string,
): OperationRules | null {
  const found = providers
    .find((each) => each.id === provider)
    ?.operations.find((each) => each.id === operation);
  return found ? { ...found, settings_schema: jsonObject(found.settings_schema) } : null;
}

/** A slot's values for the form, with the defaults of its operation filled in: they count whether stored or not. */
export function valuesOf(slot: Slot | SlotVersion["values"], providers: readonly Provider[]): SlotValues {
  const schema = operationOf(providers, slot.provider, slot.operation)?.settings_schema;
  const settings = jsonObject(slot.settings);
  return {
    display_name: slot.display_name,
    is_active: slot.is_active,
    provider: slot.provider,
    operation: slot.operation,
    settings: schema ? withDefaults(schema, settings) : settings,
    template_media: slot.template_media.map(({ media_object_id, role, preview_url }) => ({
      media_object_id,
      role,
      preview_url,
    })),
    size_limit_mb: slot.size_limit_mb,
    sync_response_seconds: slot.sync_response_seconds,
    running_limit: slot.running_limit,
    queue_length: slot.queue_length,
    dedupe: slot.dedupe === "on" || slot.dedupe === "off" ? slot.dedupe : null,
    on_failure: slot.on_failure,
    late_results: slot.late_results,
    output_format: slot.output_format,
    response_mode: slot.response_mode,
  };
}

/** The settings an operation knows: what a former version of it left behind would be refused. */
export function knownSettings(settings: JsonObject, operation: OperationRules | null): JsonObject {
  if (!operation) return settings;
  const names = new Set(fieldsOf(operation.settings_schema).map((field) => field.name));
  return Object.fromEntries(Object.entries(settings).filter(([name]) => names.has(name)));
}

/** What is sent to save a draft. */
export function changeOf(base: SlotValues, draft: Draft, operation: OperationRules | null): SlotChange {
  const { settings, template_media, ingest_password, ...rest } = changedValues(base, draft);
  return {
    ...rest,
    ...(settings === undefined ? {} : { settings: knownSettings(settings, operation) }),
    ...(template_media === undefined ? {} : { template_media: templatesSent(template_media) }),
    ...(typeof ingest_password === "string" ? { ingest_password } : {}),
  };
}

/** What a test run overrides: everything it can, so that it shows this page's values whoever saves meanwhile. */
export function testPayload(
  draft: Draft,
  operation: OperationRules | null,
  formFields: Record<string, string>,
): string {
  return JSON.stringify({
    provider: draft.provider,
    operation: draft.operation,
    settings: knownSettings(draft.settings, operation),
    template_media: templatesSent(draft.template_media),
    output_format: draft.output_format,
    form_fields: formFields,
  });
}

function templatesSent(templates: SlotValues["template_media"]) {
  return templates.map(({ media_object_id, role }) => ({ media_object_id, role }));
}
