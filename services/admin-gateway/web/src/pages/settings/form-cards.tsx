import { Card, NumberInput, Radio, SimpleGrid, Slider, Stack, Switch, Text, Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import { BOUNDS, HASH_POLICIES } from "./draft";
import type { SettingsForm } from "./use-settings-form";

/** A titled part of the page. */
export function Section({ title, intro, children }: { title: string; intro?: string; children: ReactNode }) {
  const id = useId();
  return (
    <Card component="section" aria-labelledby={id}>
      <Stack gap="lg">
        <div>
          <Title order={2} size="h3" id={id}>
            {title}
          </Title>
          {intro && (
            <Text fz="sm" c="dimmed" mt={4}>
              {intro}
            </Text>
          )}
        </div>
        {children}
      </Stack>
    </Card>
  );
}

const HOURS_A_DAY = 24;
const SLIDER_MARKS = [10, 20, 30, 40, 50, 60].map((value) => ({ value, label: String(value) }));

/** How long cameras wait, and how long results live. */
export function TimeCard({ form }: { form: SettingsForm }) {
  const { t, i18n } = useTranslation("settings");
  const { draft, change, errorOf } = form;
  const [low, high] = BOUNDS.sync_response_seconds;
  const hours = draft.result_ttl_hours;
  const days = typeof hours === "number" ? hours / HOURS_A_DAY : null;
  const error = errorOf("sync_response_seconds", t("time.response"));
  return (
    <Section title={t("time.title")}>
      <Stack gap={4}>
        <Text fw={600} fz="sm">
          {t("time.response")}:{" "}
          <Text span fz="lg" fw={680} c="var(--pc-accent-text)">
            {t("time.responseValue", { seconds: draft.sync_response_seconds })}
          </Text>
        </Text>
        <Text fz="sm" c="dimmed">
          {t("time.responseHelp")}
        </Text>
        <Slider
          thumbLabel={t("time.response")}
          thumbProps={{ "aria-valuetext": t("time.responseValue", { seconds: draft.sync_response_seconds }) }}
          mt="sm"
          mb="xl"
          mx={8}
          size="lg"
          thumbSize={24}
          min={low}
          max={high}
          marks={SLIDER_MARKS}
          value={draft.sync_response_seconds}
          label={(seconds) => t("time.responseValue", { seconds })}
          onChange={(sync_response_seconds) => change({ sync_response_seconds })}
        />
        {error && (
          <Text fz="sm" c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
      </Stack>
      <NumberInput
        label={t("time.retention")}
        description={`${t("time.retentionHelp")} ${
          days === null
            ? ""
            : t("time.retentionDays", {
                days: t("time.days", {
                  count: Math.round(days * 10) / 10,
                  formatted: new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 }).format(days),
                }),
              })
        }`}
        value={hours}
        onChange={(result_ttl_hours) => change({ result_ttl_hours })}
        error={errorOf("result_ttl_hours", t("time.retention"))}
        clampBehavior="none"
        min={BOUNDS.result_ttl_hours[0]}
        max={BOUNDS.result_ttl_hours[1]}
        step={HOURS_A_DAY}
        allowDecimal={false}
      />
    </Section>
  );
}

interface LimitsCardProps {
  form: SettingsForm;
  providerName: (id: string) => string;
}

/** How much may run and wait at once. */
export function LimitsCard({ form, providerName }: LimitsCardProps) {
  const { t } = useTranslation("settings");
  const { draft, change, errorOf } = form;
  const common = { clampBehavior: "none", allowDecimal: false } as const;
  return (
    <Section title={t("limits.title")} intro={t("limits.intro")}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="lg">
        <NumberInput
          {...common}
          label={t("limits.running")}
          description={t("limits.runningHelp")}
          value={draft.slot_running}
          onChange={(slot_running) => change({ slot_running })}
          error={errorOf("slot_running", t("limits.running"))}
          min={BOUNDS.slot_running[0]}
          max={BOUNDS.slot_running[1]}
        />
        <NumberInput
          {...common}
          label={t("limits.queue")}
          description={t("limits.queueHelp")}
          value={draft.slot_queue}
          onChange={(slot_queue) => change({ slot_queue })}
          error={errorOf("slot_queue", t("limits.queue"))}
          min={BOUNDS.slot_queue[0]}
          max={BOUNDS.slot_queue[1]}
        />
        {Object.entries(draft.provider_running).map(([id, value]) => (
          <NumberInput
            {...common}
            key={id}
            label={t("limits.provider", { provider: providerName(id) })}
            description={t("limits.providerHelp")}
            value={value}
            onChange={(typed) => change({ provider_running: { ...draft.provider_running, [id]: typed } })}
            error={errorOf(`provider_running.${id}`, t("limits.provider", { provider: providerName(id) }))}
            min={BOUNDS.provider_running[0]}
            max={BOUNDS.provider_running[1]}
          />
        ))}
      </SimpleGrid>
    </Section>
  );
}

/** What is checked of a photo before it is worked on. */
export function ChecksCard({ form }: { form: SettingsForm }) {
  const { t } = useTranslation("settings");
  const { draft, change, errorOf } = form;
  return (
    <Section title={t("checks.title")}>
      <Radio.Group
        label={t("checks.policy")}
        value={draft.hash_policy}
        error={errorOf("hash_policy", t("checks.policy"))}
        onChange={(value) => {
          const policy = HASH_POLICIES.find((known) => known === value);
          if (policy) change({ hash_policy: policy });
        }}
      >
        <Stack gap="sm" mt="xs">
          {HASH_POLICIES.map((policy) => (
            <Radio
              key={policy}
              value={policy}
              label={t(`checks.${policy}`)}
              description={t(`checks.${policy}Help`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      <Switch
        label={t("checks.dedupe")}
        description={t("checks.dedupeHelp")}
        checked={draft.dedupe}
        onChange={(event) => change({ dedupe: event.currentTarget.checked })}
      />
    </Section>
  );
}
