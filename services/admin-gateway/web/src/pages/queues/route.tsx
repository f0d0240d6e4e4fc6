import { SimpleGrid, Stack } from "@mantine/core";
import { IconStack2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import type { Queues } from "@/api/types";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { DeadDrawer } from "./dead-drawer";
import { QueueCard } from "./queue-card";
import { useQueues } from "./use-queues";
import { WorkersCard } from "./workers-card";

/** What waits, runs and was given up, and who works on it. */
export function Component() {
  const { t } = useTranslation("queues");
  const queues = useQueues();
  return (
    <Page title={t("title")} subtitle={t("intro")}>
      {queues.isPending && <LoadingRows rows={3} height={190} />}
      {queues.isError && (
        <ErrorState
          error={queues.error}
          retry={() => void queues.refetch()}
          {...(queues.data ? { title: t("stale") } : {})}
        />
      )}
      {queues.data && <QueuesBody everything={queues.data} />}
    </Page>
  );
}

function QueuesBody({ everything: { queues, workers } }: { everything: Queues }) {
  const { t } = useTranslation("queues");
  const [search, setSearch] = useSearchParams();
  const shown = search.get("dead");
  const show = (queue: string | null) =>
    setSearch(queue === null ? {} : { dead: queue }, { preventScrollReset: true });
  return (
    <Stack gap="xl">
      {queues.length === 0 ? (
        <EmptyState icon={IconStack2} title={t("empty.title")} text={t("empty.text")} />
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3, wall: 4 }} spacing="lg">
          {queues.map((queue) => (
            <QueueCard key={queue.name} queue={queue} onDead={() => show(queue.name)} />
          ))}
        </SimpleGrid>
      )}
      <WorkersCard workers={workers} />
      <DeadDrawer
        queue={queues.find(({ name }) => name === shown)?.name ?? null}
        onClose={() => show(null)}
      />
    </Stack>
  );
}
