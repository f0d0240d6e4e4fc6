import { SegmentedControl, SimpleGrid, Stack } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Overview } from "@/api/types";
import { judgeSuccess, judgeTimeouts, SUCCESS_GOAL, TIMEOUT_GOAL } from "@/components/figures/goals";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { ErrorState } from "@/components/states";
import { TimeAgo } from "@/components/time-ago";
import { RecentFailures, Storage } from "./failures-and-storage";
import { GoalCard } from "./goal-card";
import { OverTime } from "./over-time";
import { SlotsTable } from "./slots-table";
import { Totals } from "./totals";
import { useOverview, useSlotsStatistics } from "./use-statistics";
import { DEFAULT_WINDOW, WINDOWS, windowOf } from "./windows";

/** How the platform does, against what it promises. */
export function Component() {
  const { t } = useTranslation("statistics");
  const [search, setSearch] = useSearchParams();
  const window = windowOf(search);
  const overview = useOverview(window);
  const slots = useSlotsStatistics(window);
  const slotName = (slotId: string) =>
    overview.data?.slots.find((slot) => slot.slot_id === slotId)?.display_name ?? slotId;
  return (
    <Page
      title={t("title")}
      subtitle={
        <>
          {t("intro")}{" "}
          {overview.dataUpdatedAt > 0 && (
            <>
              {t("updated")} <TimeAgo at={new Date(overview.dataUpdatedAt).toISOString()} />.
            </>
          )}
        </>
      }
      actions={
        <SegmentedControl
          aria-label={t("window.label")}
          radius="xl"
          data={WINDOWS.map((minutes) => ({ value: String(minutes), label: t(`window.${minutes}`) }))}
          value={String(window)}
          onChange={(value) =>
            setSearch(value === String(DEFAULT_WINDOW) ? {} : { window: value }, {
              replace: true,
              preventScrollReset: true,
            })
          }
        />
      }
    >
      {overview.isPending && <LoadingRows rows={4} height={110} />}
      {overview.isError && <ErrorState error={overview.error} retry={() => void overview.refetch()} />}
      {overview.data && <OverviewPart overview={overview.data} />}
      {overview.data && <OverTime window={window} slots={overview.data.slots} />}
      {slots.isError && <ErrorState error={slots.error} retry={() => void slots.refetch()} />}
      {slots.data && <SlotsTable slots={slots.data.slots} />}
      {slots.data && overview.data && (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" style={{ alignItems: "start" }}>
          <RecentFailures failures={slots.data.recent_failures} slotName={slotName} />
          <Storage storage={overview.data.system.storage} />
        </SimpleGrid>
      )}
    </Page>
  );
}

/** The goals, and the figures they come from. */
function OverviewPart({ overview }: { overview: Overview }) {
  const { t } = useTranslation("statistics");
  const { success_rate, timeout_rate } = overview.system;
  return (
    <Stack gap="md">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md">
        <GoalCard
          name={t("goals.success")}
          goalText={t("goals.successGoal")}
          rate={success_rate}
          goal={SUCCESS_GOAL}
          verdict={judgeSuccess(success_rate)}
          rounding="down"
          full={1}
        />
        <GoalCard
          name={t("goals.timeouts")}
          goalText={t("goals.timeoutsGoal")}
          rate={timeout_rate}
          goal={TIMEOUT_GOAL}
          verdict={judgeTimeouts(timeout_rate)}
          rounding="up"
          full={Math.max(4 * TIMEOUT_GOAL, timeout_rate ?? 0)}
        />
      </SimpleGrid>
      <Totals overview={overview} />
    </Stack>
  );
}
