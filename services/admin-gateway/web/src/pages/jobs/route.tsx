import { Box, Button, Center, Stack, Text, Transition } from "@mantine/core";
import { IconArrowUp, IconHistory } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { filtersOf, isNarrowed, type JobFilters, searchOf } from "./filters";
import { JobFiltersBar } from "./job-filters";
import { JobRows } from "./job-rows";
import classes from "./route.module.css";
import { useJobs } from "./use-jobs";

/** Every photo that came in, live. */
export function Component() {
  const { t } = useTranslation("jobs");
  const [search, setSearch] = useSearchParams();
  const filters = filtersOf(search);
  return (
    <Page title={t("title")} subtitle={t("intro")}>
      <JobFiltersBar
        filters={filters}
        onChange={(changed) => setSearch(searchOf(changed), { replace: true, preventScrollReset: true })}
      />
      <JobsList key={searchOf(filters).toString()} filters={filters} />
    </Page>
  );
}

function JobsList({ filters }: { filters: JobFilters }) {
  const { t } = useTranslation("jobs");
  const { query, rows, held, letIn } = useJobs(filters);
  if (query.isPending) return <LoadingRows rows={6} height={72} />;
  if (query.isError && !query.data)
    return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  const showNew = () => {
    letIn();
    window.scrollTo({ top: 0, behavior: "smooth" });
  };
  return (
    <Stack gap="md">
      <Transition mounted={held > 0} transition="slide-down">
        {(style) => (
          <Center className={classes["fresh"] ?? ""} style={style}>
            <Button size="sm" leftSection={<IconArrowUp size={16} aria-hidden />} onClick={showNew}>
              {t("fresh", { count: held })}
            </Button>
          </Center>
        )}
      </Transition>
      {rows.length === 0 ? <NoJobs filters={filters} /> : <JobRows jobs={rows} />}
      {query.isFetchNextPageError && (
        <ErrorState error={query.error} retry={() => void query.fetchNextPage()} />
      )}
      {rows.length > 0 && (
        <Stack align="center" gap="xs">
          <Text fz="sm" c="dimmed" role="status">
            {t("shown", { count: rows.length })}
          </Text>
          {query.hasNextPage ? (
            <Button
              variant="default"
              leftSection={<IconHistory size={18} aria-hidden />}
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {t("older")}
            </Button>
          ) : (
            <Text fz="sm" c="dimmed">
              {t("end")}
            </Text>
          )}
        </Stack>
      )}
    </Stack>
  );
}

function NoJobs({ filters }: { filters: JobFilters }) {
  const { t } = useTranslation("jobs");
  if (isNarrowed(filters))
    return <EmptyState title={t("emptyFiltered.title")} text={t("emptyFiltered.text")} />;
  return (
    <Box>
      <EmptyState title={t("empty.title")} text={t("empty.text")}>
        <Button component={Link} to="/" variant="default">
          {t("empty.toSlots")}
        </Button>
      </EmptyState>
    </Box>
  );
}
