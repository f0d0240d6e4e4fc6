import { Alert, Anchor, Button, Group, Stack, Text } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { ApiError } from "@/api/errors";
import { ownPath } from "@/api/own-path";
import { Compare } from "@/components/compare/compare";
import { FailureExplained } from "@/components/jobs/failure-words";
import { ErrorState } from "@/components/states";
import { StageBar } from "./stage-bar";
import { stagePieces } from "./stages";
import { type TestState, useObjectUrl } from "./use-test-run";

/** What became of a test run. */
export function TestOutcome({ state, slotId }: { state: TestState; slotId: string }) {
  const { t } = useTranslation("slot");
  return (
    <div aria-live="polite">
      {state.phase === "stopped" && (
        <Alert role="status" color="gray" py="sm">
          <Group gap="sm">
            <Text fz="sm">{t("test.stopped")}</Text>
            <Anchor component={Link} to={`/jobs?slot=${slotId}`} fz="sm">
              {t("nav.jobs", { ns: "common" })}
            </Anchor>
          </Group>
        </Alert>
      )}
      {state.phase === "failed" && <Failed {...state} />}
      {state.phase === "done" && <Done {...state} />}
    </div>
  );
}

type StateOf<Phase extends TestState["phase"]> = Extract<TestState, { phase: Phase }>;

function Done({ run, order }: StateOf<"done">) {
  const { t, i18n } = useTranslation("slot");
  const before = useObjectUrl(order.photo);
  const after = ownPath(run.public_result_url);
  const seconds = new Intl.NumberFormat(i18n.language, { maximumFractionDigits: 1 });
  return (
    <Stack gap="md">
      {before && (
        <Compare
          key={run.job_id}
          before={{ src: before, label: t("test.before") }}
          after={{ src: after, label: t("test.after") }}
          label={t("test.compare")}
        />
      )}
      <Group justify="space-between" gap="sm">
        <Text fw={650}>
          {t("test.done", { seconds: seconds.format(run.completed_in_seconds) })}{" "}
          <Text span c="dimmed" fw={400}>
            {t("test.doneOf", { window: order.window })}
          </Text>
        </Text>
        <Group gap="xs">
          <Button
            component="a"
            href={after}
            download
            size="xs"
            variant="light"
            leftSection={<IconDownload size={16} aria-hidden />}
          >
            {t("test.download")}
          </Button>
          <Button component={Link} to={`/jobs/${run.job_id}`} size="xs" variant="subtle">
            {t("test.job")}
          </Button>
        </Group>
      </Group>
      <StageBar pieces={stagePieces(run.stages, run.completed_in_seconds * 1000)} />
    </Stack>
  );
}

function Failed({ error, failure }: StateOf<"failed">) {
  const { t } = useTranslation("slot");
  const jobId = error instanceof ApiError ? error.jobId : null;
  if (!failure) return <ErrorState error={error} title={t("test.failed")} />;
  return (
    <Stack gap="xs">
      <FailureExplained reason={failure.reason} message={failure.message} slotId={null} />
      {jobId && (
        <Anchor component={Link} to={`/jobs/${jobId}`} fz="sm">
          {t("test.job")}
        </Anchor>
      )}
    </Stack>
  );
}
