import {
  Button,
  Collapse,
  NumberInput,
  SegmentedControl,
  SimpleGrid,
  Slider,
  Stack,
  Switch,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown } from "@tabler/icons-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { Labelled } from "@/components/schema-form/labelled";
import { BOUNDS, type BoundedName } from "./checks";
import type { FormState } from "./form-state";
import { PasswordPart } from "./password-part";
import { Section } from "./section";

const NAMES = [
  "size_limit_mb",
  "sync_response_seconds",
  "running_limit",
  "queue_length",
  "ingest_password",
  "dedupe",
  "on_failure",
  "late_results",
  "output_format",
  "response_mode",
];

/** Limits, failures, formats and the slot's own password: folded, as most slots need none of it. */
export function AdvancedSection({ form }: { form: FormState }) {
  const { slot, draft, errors, set } = form;
  const { t } = useTranslation("slot");
  const [asked, fold] = useDisclosure(false);
  const foldId = useId();
  const opened = asked || NAMES.some((name) => name in errors.values);
  return (
    <Section
      title={t("advanced.title")}
      help={t("advanced.help")}
      actions={
        <Button
          variant="light"
          size="compact-md"
          px="sm"
          aria-expanded={opened}
          aria-controls={foldId}
          aria-label={t("advanced.title")}
          style={{ flexShrink: 0 }}
          onClick={fold.toggle}
        >
          <IconChevronDown size={18} aria-hidden style={{ rotate: opened ? "180deg" : "0deg" }} />
        </Button>
      }
    >
      <Collapse in={opened} id={foldId} mt={opened ? 0 : "calc(-1 * var(--mantine-spacing-lg))"}>
        <Stack gap="xl">
          <ResponseTime form={form} />
          <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="lg">
            <Bounded
              form={form}
              name="size_limit_mb"
              title={t("advanced.size")}
              help={t("advanced.sizeHelp")}
            />
            <Bounded
              form={form}
              name="running_limit"
              title={t("advanced.running")}
              help={t("advanced.runningHelp")}
            />
            <Bounded
              form={form}
              name="queue_length"
              title={t("advanced.queue")}
              help={t("advanced.queueHelp")}
            />
          </SimpleGrid>
          <Segments
            title={t("advanced.dedupe")}
            help={t("advanced.dedupeHelp")}
            options={[
              ["", t("advanced.dedupePlatform")],
              ["on", t("advanced.dedupeOn")],
              ["off", t("advanced.dedupeOff")],
            ]}
            value={draft.dedupe ?? ""}
            onChange={(dedupe) => set({ dedupe: dedupe === "" ? null : dedupe })}
          />
          <Segments
            title={t("advanced.failure")}
            help={t("advanced.failureHelp")}
            options={[
              ["error", t("advanced.failureError")],
              ["original", t("advanced.failureOriginal")],
            ]}
            value={draft.on_failure}
            onChange={(on_failure) => set({ on_failure })}
          />
          <Segments
            title={t("advanced.late")}
            help={t("advanced.lateHelp")}
            options={[
              ["discard", t("advanced.lateDiscard")],
              ["keep", t("advanced.lateKeep")],
            ]}
            value={draft.late_results}
            onChange={(late_results) => set({ late_results })}
          />
          <Segments
            title={t("advanced.format")}
            help={t("advanced.formatHelp")}
            options={[
              ["as_is", t("advanced.formatAsIs")],
              ["jpeg", "JPEG"],
              ["png", "PNG"],
              ["webp", "WebP"],
            ]}
            value={draft.output_format}
            onChange={(output_format) => set({ output_format })}
          />
          <Segments
            title={t("advanced.response")}
            help={t("advanced.responseHelp")}
            options={[
              ["image", t("advanced.responseImage")],
              ["multipart", t("advanced.responseMultipart")],
            ]}
            value={draft.response_mode}
            onChange={(response_mode) => set({ response_mode })}
          />
          <PasswordPart key={slot.version} form={form} />
        </Stack>
      </Collapse>
    </Section>
  );
}

function ResponseTime({ form: { slot, draft, errors, set } }: { form: FormState }) {
  const { t } = useTranslation("slot");
  const labelId = useId();
  const { least, most } = BOUNDS.sync_response_seconds;
  const own = draft.sync_response_seconds;
  const seconds = own ?? slot.effective_sync_response_seconds;
  return (
    <Labelled
      words={{ title: t("advanced.seconds"), description: t("advanced.secondsHelp") }}
      error={errors.values["sync_response_seconds"]}
      labelId={labelId}
    >
      <Switch
        mt={4}
        label={
          own === null
            ? `${t("advanced.secondsPlatform")} (${t("advanced.secondsValue", { count: seconds })})`
            : t("advanced.secondsPlatform")
        }
        checked={own === null}
        onChange={(event) => set({ sync_response_seconds: event.currentTarget.checked ? null : seconds })}
      />
      {own !== null && (
        <Slider
          mt="xs"
          mb="lg"
          maw={560}
          thumbLabel={t("advanced.seconds")}
          min={least}
          max={most}
          label={null}
          value={own}
          marks={[least, 30, own, most]
            .filter((value, index, all) => all.indexOf(value) === index)
            .filter((value) => value === own || Math.abs(value - own) > 4)
            .map((value) => ({ value, label: t("advanced.secondsValue", { count: value }) }))}
          onChange={(value) => set({ sync_response_seconds: value })}
        />
      )}
    </Labelled>
  );
}

interface BoundedProps {
  form: FormState;
  name: Exclude<BoundedName, "sync_response_seconds">;
  title: string;
  help: string;
}

/** A whole number; empty stands for the platform's setting, where there is one. */
function Bounded({ form: { draft, errors, set }, name, title, help }: BoundedProps) {
  const { t } = useTranslation("slot");
  const { least, most } = BOUNDS[name];
  const optional = name !== "size_limit_mb";
  return (
    <NumberInput
      label={title}
      description={help}
      placeholder={optional ? t("advanced.platform") : ""}
      inputWrapperOrder={["label", "input", "description", "error"]}
      min={least}
      max={most}
      clampBehavior="none"
      allowDecimal={false}
      allowNegative={false}
      value={draft[name] ?? ""}
      error={errors.values[name]}
      onChange={(typed) => {
        if (typeof typed === "number") set({ [name]: typed });
        // An emptied size is out of bounds, and told so.
        else set({ [name]: optional ? null : 0 });
      }}
    />
  );
}

interface SegmentsProps<Value extends string> {
  title: string;
  help: string;
  options: readonly (readonly [value: Value, label: string])[];
  value: Value;
  onChange: (value: Value) => void;
}

function Segments<Value extends string>({ title, help, options, value, onChange }: SegmentsProps<Value>) {
  const labelId = useId();
  return (
    <Labelled words={{ title, description: help }} error={undefined} labelId={labelId}>
      <SegmentedControl
        aria-labelledby={labelId}
        radius="md"
        data={options.map(([option, label]) => ({ value: option, label }))}
        value={value}
        onChange={(chosen) => {
          const option = options.find(([each]) => each === chosen);
          if (option) onChange(option[0]);
        }}
        style={{ alignSelf: "flex-start", maxWidth: "100%", flexWrap: "wrap" }}
      />
    </Labelled>
  );
}
