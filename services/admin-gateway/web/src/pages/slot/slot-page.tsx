import { Alert, Anchor, Button, Grid, Group, Stack, Text } from "@mantine/core";
import { useDisclosure, useTimeout } from "@mantine/hooks";
import { IconArrowLeft, IconHistory, IconUserEdit } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError } from "@/api/errors";
import type { Provider, Slot } from "@/api/types";
import { CopyField } from "@/components/copy-field";
import { describeError } from "@/components/describe-error";
import { useOperationWords } from "@/components/operation-words";
import { Page } from "@/components/page";
import { QrButton } from "@/components/qr-button";
import { SlotStatePill } from "@/components/status-pill";
import { useUnsavedChanges } from "@/components/unsaved";
import { AdvancedSection } from "./advanced-section";
import { BasicsSection } from "./basics-section";
import { ConflictDialog } from "./conflict-dialog";
import type { Draft } from "./draft";
import type { FormState } from "./form-state";
import { HistoryDrawer } from "./history-drawer";
import { ProcessingSection } from "./processing-section";
import { RecentResults } from "./recent-results";
import { SaveBar, type SaveOutcome } from "./save-bar";
import { Section } from "./section";
import { TemplatesSection } from "./templates-section";
import { TestRunSection } from "./test-run-section";
import { useCameraFields } from "./use-camera-fields";
import { useFormErrors } from "./use-form-errors";
import { useSlotEditor } from "./use-slot-editor";
import { useValueWords } from "./use-value-words";
import { operationOf } from "./values";

const SAVED_SHOWN_MS = 4000;

/** One slot: its values, trying them, and what came of them. */
export function SlotPage({ slot, providers }: { slot: Slot; providers: readonly Provider[] }) {
  const { t } = useTranslation("slot");
  const editor = useSlotEditor(slot, providers);
  const { editing, changes, newer } = editor;
  const { draft } = editing;
  const operation = operationOf(providers, draft.provider, draft.operation);
  const names = useValueWords(providers);
  const fields = useCameraFields(slot);
  const [history, historyDrawer] = useDisclosure(false);
  const [checked, setChecked] = useState(false);
  const { errors, valid } = useFormErrors(draft, operation, editor.refusal, checked);
  const [outcome, setOutcome] = useState<(SaveOutcome & { draft?: Draft }) | null>(null);
  const fade = useTimeout(() => setOutcome(null), SAVED_SHOWN_MS);
  useUnsavedChanges(changes.length > 0);

  const form: FormState = {
    slot,
    providers,
    draft,
    operation,
    errors,
    update: editor.update,
    set: (values) => editor.update((now) => ({ ...now, ...values })),
  };
  const tell = (text: string) => {
    fade.clear();
    setOutcome({ kind: "saved", text });
    fade.start();
  };
  const refuse = (text: string) => {
    fade.clear();
    setOutcome({ kind: "failed", text, draft });
  };
  /** Whether all is right; leads to the first mistake if not. */
  const check = () => {
    setChecked(true);
    if (!valid) focusFirstMistake();
    return valid;
  };
  const save = async () => {
    if (!check()) {
      refuse(t("save.fix"));
      return;
    }
    setOutcome(null);
    try {
      const saved = await editor.save();
      setChecked(false);
      tell(t("save.saved", { version: saved.version }));
    } catch (error) {
      // A conflict has its own dialog.
      if (error instanceof ApiError && error.reason === "version_conflict") return;
      refuse(`${t("save.failed")}. ${describeError(error)}`);
      focusFirstMistake();
    }
  };

  return (
    <Page
      title={slot.display_name}
      above={
        <Anchor component={Link} to="/" fz="sm" c="dimmed">
          <Group gap={4} component="span">
            <IconArrowLeft size={16} aria-hidden />
            {t("back")}
          </Group>
        </Anchor>
      }
      subtitle={<Heading form={form} />}
      actions={
        <Button
          variant="default"
          leftSection={<IconHistory size={18} aria-hidden />}
          aria-haspopup="dialog"
          onClick={historyDrawer.open}
        >
          {t("history.open")}
        </Button>
      }
    >
      {newer && (
        <Alert color="orange" role="status" icon={<IconUserEdit aria-hidden />}>
          <Group justify="space-between" gap="sm">
            <Text fz="sm">{t("newer.text", { who: newer.updated_by, version: newer.version })}</Text>
            <Button size="xs" variant="default" onClick={() => editor.setConflict(true)}>
              {t("newer.review")}
            </Button>
          </Group>
        </Alert>
      )}
      <Grid gutter="xl">
        <Grid.Col span={{ base: 12, md: 7 }}>
          <Stack gap="xl">
            <BasicsSection form={form} />
            <ProcessingSection form={form} knownFields={fields.known} />
            <TemplatesSection form={form} />
            <AdvancedSection form={form} />
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 5 }}>
          <Stack gap="xl">
            <Section title={t("ingest.title")} help={t("ingest.help")}>
              <CopyField value={slot.ingest_url} what={t("ingest.what", { slot: slot.display_name })}>
                <QrButton value={slot.ingest_url} what={t("ingest.what", { slot: slot.display_name })} />
              </CopyField>
            </Section>
            <TestRunSection form={form} lastFields={fields.last} check={check} />
            <RecentResults slot={slot} />
          </Stack>
        </Grid.Col>
      </Grid>
      <SaveBar
        changed={changes.map((change) => names.name(change.path, draft))}
        saving={editor.saving}
        // Of a draft that is another by now, a failure says nothing.
        outcome={outcome?.draft && outcome.draft !== draft ? null : outcome}
        onSave={() => void save()}
        onDiscard={() => {
          setOutcome(null);
          setChecked(false);
          editor.discard();
        }}
      />
      <ConflictDialog
        opened={editor.conflict}
        theirs={newer}
        editing={editing}
        providers={providers}
        onKeepMine={editor.keepMine}
        onTakeTheirs={editor.takeTheirs}
        onClose={() => editor.setConflict(false)}
      />
      <HistoryDrawer
        opened={history}
        onClose={historyDrawer.close}
        slot={slot}
        providers={providers}
        unsaved={changes.length > 0}
        onRestored={(restored, from) => {
          editor.adopt(restored);
          tell(t("history.restored", { version: from }));
        }}
      />
    </Page>
  );
}

/** Model, id and state, under the name. */
function Heading({ form: { slot, draft, providers, operation } }: { form: FormState }) {
  const { t } = useTranslation("slot");
  const words = useOperationWords();
  const provider = words.provider(draft.provider, providers.find(({ id }) => id === draft.provider)?.title);
  const asked = words.operation(draft.provider, draft.operation, operation?.title);
  const chosen = draft.settings["model"];
  const model =
    typeof chosen === "string" && chosen !== "" ? `${chosen} (${provider})` : `${provider}, ${asked}`;
  return (
    <Group gap="sm" mt={4}>
      <SlotStatePill state={slot.state} />
      <Text fw={600} c="var(--mantine-color-text)">
        {t("heading.model", { model })}
      </Text>
      <Text>{t("heading.id", { id: slot.slot_id })}</Text>
      <Text fz="sm">{t("heading.version", { version: slot.version, who: slot.updated_by })}</Text>
    </Group>
  );
}

function focusFirstMistake(): void {
  // After folded parts with mistakes have opened.
  requestAnimationFrame(() => {
    const mistake = document.querySelector<HTMLElement>('main [aria-invalid="true"]');
    mistake?.focus({ preventScroll: true });
    // In the middle: the edges lie under the header and the bar that saves.
    mistake?.scrollIntoView({ block: "center" });
  });
}
