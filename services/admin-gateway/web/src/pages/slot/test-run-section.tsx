import { Alert, Button, Group, Progress, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { IconPlayerPlay, IconPlayerStop } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { fieldsOf, takesPlaceholders } from "@/components/schema-form/fields";
import { type Placeholder, placeholdersIn } from "@/components/schema-form/placeholders";
import { DropArea } from "@/components/template-media/drop-area";
import { pictureProblem } from "@/components/template-media/picture";
import type { FormState } from "./form-state";
import { Section } from "./section";
import { TestOutcome } from "./test-outcome";
import classes from "./test-run-section.module.css";
import { useObjectUrl, useTestRun } from "./use-test-run";
import { testPayload } from "./values";

interface TestRunSectionProps {
  form: FormState;
  /** What the last photo's form said, by field. */
  lastFields: Readonly<Record<string, string>>;
  /** Whether the values can be sent; points out what is wrong with them if not. */
  check: () => boolean;
}

/** Tries the page's values, saved or not, on one photo. */
export function TestRunSection({ form, lastFields, check }: TestRunSectionProps) {
  const { slot, draft, operation } = form;
  const { t } = useTranslation("slot");
  const [photo, setPhoto] = useState<File | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [typed, setTyped] = useState<Record<string, string>>({});
  const test = useTestRun(slot.slot_id);
  const shown = useObjectUrl(photo);
  const { state } = test;
  const running = state.phase === "running";
  const window = draft.sync_response_seconds ?? slot.effective_sync_response_seconds;

  const placeholders = operation
    ? fieldsOf(operation.settings_schema)
        .filter(takesPlaceholders)
        .flatMap(({ name }) => placeholdersIn(String(draft.settings[name] ?? "")))
    : [];
  const names = [...new Map(placeholders.map((each) => [each.name, each])).values()];
  const fieldValue = (name: string) => typed[name] ?? lastFields[name] ?? "";

  const choose = ([file]: File[]) => {
    if (!file) return;
    const wrong = pictureProblem(file, slot.size_limit_mb);
    setProblem(
      wrong &&
        t("templates.failed", {
          file: file.name,
          problem: t(`templates.problem.${wrong.problem}`, { megabytes: slot.size_limit_mb }),
        }),
    );
    if (wrong) return;
    test.reset();
    setPhoto(file);
  };
  const run = () => {
    if (!photo) return;
    if (!check()) {
      setProblem(t("test.fix"));
      return;
    }
    setProblem(null);
    const fields = Object.fromEntries(names.map(({ name }) => [name, fieldValue(name)]));
    test.run({ photo, window, payload: testPayload(draft, operation, fields) });
  };

  return (
    <Section title={t("test.title")} help={t("test.help")}>
      {state.phase !== "done" && (
        <DropArea label={t("test.photo")} text={t("test.drop")} disabled={running} onFiles={choose}>
          {shown && <img src={shown} alt={t("test.photo")} className={classes["photo"]} />}
        </DropArea>
      )}
      {names.length > 0 && (
        <PlaceholderValues
          placeholders={names}
          fieldValue={fieldValue}
          onChange={(name, value) => setTyped((now) => ({ ...now, [name]: value }))}
        />
      )}
      {problem && (
        <Alert color="red" role="alert" py="sm">
          {problem}
        </Alert>
      )}
      <TestOutcome state={state} slotId={slot.slot_id} />
      {running && <Elapsed startedAt={state.startedAt} window={state.order.window} />}
      <Group gap="sm">
        {running ? (
          <Button
            variant="default"
            leftSection={<IconPlayerStop size={18} aria-hidden />}
            onClick={test.stop}
          >
            {t("test.stop")}
          </Button>
        ) : (
          <Button disabled={!photo} leftSection={<IconPlayerPlay size={18} aria-hidden />} onClick={run}>
            {t(state.phase === "idle" ? "test.run" : "test.again")}
          </Button>
        )}
        {state.phase === "done" && (
          <Button
            variant="default"
            onClick={() => {
              test.reset();
              setPhoto(null);
            }}
          >
            {t("test.another")}
          </Button>
        )}
      </Group>
    </Section>
  );
}

interface PlaceholderValuesProps {
  placeholders: readonly Placeholder[];
  fieldValue: (name: string) => string;
  onChange: (name: string, value: string) => void;
}

function PlaceholderValues({ placeholders, fieldValue, onChange }: PlaceholderValuesProps) {
  const { t } = useTranslation("slot");
  return (
    <Stack gap="xs" role="group" aria-label={t("test.fields")}>
      <div>
        <Text fw={600} fz="sm">
          {t("test.fields")}
        </Text>
        <Text fz="xs" c="dimmed">
          {t("test.fieldsHelp")}
        </Text>
      </div>
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        {placeholders.map((placeholder) => (
          <TextInput
            key={placeholder.name}
            size="sm"
            label={<code>{placeholder.name}</code>}
            placeholder={placeholder.default}
            maxLength={200}
            value={fieldValue(placeholder.name)}
            onChange={(event) => onChange(placeholder.name, event.currentTarget.value)}
          />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

const TICK_MS = 200;

/** Seconds gone by of those the slot has. */
function Elapsed({ startedAt, window }: { startedAt: number; window: number }) {
  const { t } = useTranslation("slot");
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  const elapsed = Math.max(0, now - startedAt) / 1000;
  const percent = Math.min(100, (elapsed / window) * 100);
  return (
    <Stack gap={6}>
      <Text fz="sm" role="timer">
        {t("test.running", { elapsed: elapsed.toFixed(0), window })}
      </Text>
      <Progress.Root size="md">
        <Progress.Section
          value={percent}
          animated
          color={percent > 80 ? "orange" : "brand"}
          aria-label={t("test.runningLabel")}
        />
      </Progress.Root>
    </Stack>
  );
}
