import { Anchor, Card, Code, Group, SimpleGrid, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { IconCheck, IconEqualNot, IconEyeOff } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { JobDetails } from "@/api/types";
import { type Fact, FactList } from "@/components/figures/fact-list";
import { formatBytes, formatCount } from "@/components/figures/format";
import { useOperationWords } from "@/components/operation-words";
import { Photo } from "@/components/photo";
import { useClientName } from "@/components/use-clients";

/** What was asked of the provider, and with what. */
export function RequestCard({ job }: { job: JobDetails }) {
  const { t, i18n } = useTranslation("jobs");
  const words = useOperationWords();
  const nameOf = useClientName();
  const facts: Fact[] = [
    {
      name: t("job.used.slot"),
      value:
        job.slot_id === null ? (
          t("noSlot")
        ) : (
          <Anchor component={Link} to={`/slots/${job.slot_id}`} fz="sm">
            {job.slot_display_name}
          </Anchor>
        ),
    },
    { name: t("job.used.provider"), value: words.provider(job.provider) },
    { name: t("job.used.operation"), value: words.operation(job.provider, job.operation) },
    {
      name: t("job.used.source"),
      value:
        job.client_id === null
          ? t(`source.${job.source}`)
          : t("job.used.sourceOf", { name: nameOf(job.client_id) }),
    },
    ...(job.http_status === null || job.source !== "ingest"
      ? []
      : [{ name: t("job.used.answered"), value: `HTTP ${job.http_status}` }]),
    ...(job.retry_of === null
      ? []
      : [
          {
            name: t("job.used.retryOf"),
            value: (
              <Anchor component={Link} to={`/jobs/${job.retry_of}`} fz="sm" ff="monospace">
                {job.retry_of.slice(0, 8)}
              </Anchor>
            ),
          },
        ]),
    ...(job.attempts > 0
      ? [{ name: t("job.used.attempts"), value: formatCount(job.attempts, i18n.language) }]
      : []),
  ];
  const settings = Object.entries(job.settings).map(([name, value]) => ({
    name: words.field(job.provider, job.operation, { name }).title,
    value: <SettingValue value={value} />,
  }));
  return (
    <Card>
      <Stack gap="md">
        <Title order={2} size="h3">
          {t("job.used.title")}
        </Title>
        <FactList facts={facts} />
        <Part title={t("job.used.settings")}>
          {settings.length > 0 ? <FactList facts={settings} /> : <Quiet>{t("job.used.noSettings")}</Quiet>}
        </Part>
        {job.template_media.length > 0 && (
          <Part title={t("job.used.templates")}>
            <SimpleGrid cols={{ base: 3, sm: 5 }} spacing="sm">
              {job.template_media.map((template) => (
                <Stack key={template.media_object_id} component="figure" gap={4} m={0}>
                  <Photo src={template.preview_url} alt="" />
                  <Text component="figcaption" fz="xs" c="dimmed">
                    {words.role(job.provider, template.role)}
                  </Text>
                </Stack>
              ))}
            </SimpleGrid>
          </Part>
        )}
      </Stack>
    </Card>
  );
}

const HASH = {
  match: { color: "brand", icon: IconCheck },
  mismatch: { color: "orange", icon: IconEqualNot },
  unchecked: { color: "gray", icon: IconEyeOff },
} as const;

/** The photo as it came: its size, its hash, and what the camera wrote beside it. */
export function ReceivedCard({ job }: { job: JobDetails }) {
  const { t, i18n } = useTranslation("jobs");
  return (
    <Card>
      <Stack gap="md">
        <Title order={2} size="h3">
          {t("job.received")}
        </Title>
        <FactList
          facts={[
            { name: t("job.used.photo"), value: formatBytes(job.input.size_bytes, i18n.language) },
            {
              name: t("job.hash.sha256"),
              value: (
                <Text span fz="xs" ff="monospace">
                  {job.input.sha256}
                </Text>
              ),
            },
          ]}
        />
        {job.source !== "api" && <HashPart check={job.hash_check} />}
        <FieldsPart job={job} />
      </Stack>
    </Card>
  );
}

/** Whether the photo is what the camera meant to send; programs send no hash. */
function HashPart({ check }: { check: JobDetails["hash_check"] }) {
  const { t } = useTranslation("jobs");
  const { color, icon: Icon } = HASH[check];
  return (
    <Part title={t("job.hash.title")}>
      <Group gap="sm" wrap="nowrap" align="flex-start">
        <ThemeIcon variant="light" color={color} radius="xl" aria-hidden>
          <Icon size={18} />
        </ThemeIcon>
        <div>
          <Text fz="sm" fw={650}>
            {t(`job.hash.${check}`)}
          </Text>
          <Quiet>{t(`job.hash.${check}Help`)}</Quiet>
        </div>
      </Group>
    </Part>
  );
}

/** What came beside the photo; nothing of a program that sent none. */
function FieldsPart({ job }: { job: JobDetails }) {
  const { t } = useTranslation("jobs");
  const fields = Object.entries(job.form_fields).map(([name, value]) => ({ name, value }));
  if (job.source === "api") {
    return fields.length > 0 ? (
      <Part title={t("job.used.formProgram")}>
        <FactList facts={fields} />
      </Part>
    ) : null;
  }
  return (
    <Part title={t("job.used.form")}>
      {fields.length > 0 ? (
        <>
          <FactList facts={fields} />
          <Quiet>{t("job.used.formHelp")}</Quiet>
        </>
      ) : (
        <Quiet>{t("job.used.noForm")}</Quiet>
      )}
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Stack gap="xs">
      <Title order={3} size="sm">
        {title}
      </Title>
      {children}
    </Stack>
  );
}

function Quiet({ children }: { children: ReactNode }) {
  return (
    <Text fz="sm" c="dimmed">
      {children}
    </Text>
  );
}

/** Texts as they are; anything else as JSON, which is what it is. */
function SettingValue({ value }: { value: unknown }) {
  if (typeof value === "string") return <span style={{ whiteSpace: "pre-wrap" }}>{value}</span>;
  if (typeof value === "number") return <span>{value}</span>;
  return <Code>{JSON.stringify(value)}</Code>;
}
