import { Alert, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { answer, api, multipart } from "@/api/client";
import { useOperationWords } from "@/components/operation-words";
import { TemplateRole } from "@/components/template-media/template-role";
import type { FormState } from "./form-state";
import { Section } from "./section";

/** What the server takes of one template image. */
const LIMIT_MEGABYTES = 15;

/** The template images an operation works with, by role. */
export function TemplatesSection({ form }: { form: FormState }) {
  const { slot, draft, operation, errors, update } = form;
  const { t } = useTranslation("slot");
  const words = useOperationWords();
  if (!operation || operation.needs.length === 0) return null;

  const upload = (file: File) =>
    answer(api.POST("/api/template-media/register", { ...multipart({ file, slot_id: slot.slot_id }) }));
  /** A picture nothing was saved with is of no use to anybody; one that was belongs to the slot's history. */
  const removed = (template_id: string) => {
    if (slot.template_media.some((each) => each.media_object_id === template_id)) return;
    void api
      .DELETE("/api/template-media/{template_id}", { params: { path: { template_id } } })
      // It may be in use by now, and nobody waits for this.
      .catch(() => {});
  };

  return (
    <Section title={t("templates.title")}>
      <Stack gap="xl">
        {operation.needs.map(({ role, title, required, max_count }) => (
          <TemplateRole
            key={role}
            title={words.role(draft.provider, role, title)}
            required={required}
            maxCount={max_count}
            limitMegabytes={LIMIT_MEGABYTES}
            pictures={draft.template_media.filter((each) => each.role === role)}
            error={errors.roles[role]}
            upload={upload}
            onChange={(change) =>
              update((now) => {
                const others = now.template_media.filter((each) => each.role !== role);
                const changed = change(now.template_media.filter((each) => each.role === role));
                return {
                  ...now,
                  template_media: [
                    ...others,
                    ...changed.map(({ media_object_id, preview_url }) => ({
                      media_object_id,
                      preview_url,
                      role,
                    })),
                  ],
                };
              })
            }
            onRemoved={(picture) => removed(picture.media_object_id)}
          />
        ))}
        {errors.templates.length > 0 && (
          <Alert color="red" role="alert">
            {errors.templates.map((error) => (
              <Text key={error} fz="sm">
                {error}
              </Text>
            ))}
          </Alert>
        )}
      </Stack>
    </Section>
  );
}
