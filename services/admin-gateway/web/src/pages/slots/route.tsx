import { Button, Card, SimpleGrid, Skeleton, VisuallyHidden } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearchOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { providersQuery, slotsQuery } from "@/api/queries";
import { useOperationWords } from "@/components/operation-words";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { countByState, filterOf, named, type SlotFilter, searchOf, withWords } from "./filter";
import { SlotCard } from "./slot-card";
import { Toolbar } from "./toolbar";

const COLUMNS = { base: 1, md: 2, xl: 3, wall: 4 };

/** All slots: what they do, how they are, and what is most often needed of them. */
export function Component() {
  const { t } = useTranslation("slots");
  const [search, setSearch] = useSearchParams();
  const filter = filterOf(search);
  const change = (next: SlotFilter) => setSearch(searchOf(next), { replace: true, preventScrollReset: true });
  const words = useOperationWords();
  const slots = useQuery(slotsQuery);
  // Titles are a nicety: without them the cards show ids.
  const providers = useQuery(providersQuery).data ?? [];

  const found = withWords(named(slots.data ?? [], providers, words), filter.words);
  const shown = found.filter(({ slot }) => filter.state === null || slot.state === filter.state);
  const [told] = useDebouncedValue(shown.length, 600);

  return (
    <Page title={t("title")} subtitle={t("subtitle")}>
      <Toolbar filter={filter} onChange={change} counts={countByState(found)} total={found.length} />
      <VisuallyHidden role="status">
        {filter.words && slots.data ? t("found", { count: told }) : ""}
      </VisuallyHidden>
      {slots.data ? (
        shown.length > 0 ? (
          <SimpleGrid cols={COLUMNS} spacing="lg" component="ul" p={0} m={0}>
            {shown.map((each) => (
              <SlotCard key={each.slot.slot_id} {...each} />
            ))}
          </SimpleGrid>
        ) : (
          <EmptyState icon={IconSearchOff} title={t("none.title")} text={t("none.text")}>
            <Button variant="default" onClick={() => change({ words: "", state: null })}>
              {t("none.clear")}
            </Button>
          </EmptyState>
        )
      ) : slots.error ? (
        <ErrorState error={slots.error} retry={() => slots.refetch()} />
      ) : (
        <LoadingCards />
      )}
    </Page>
  );
}

function LoadingCards() {
  const { t } = useTranslation();
  return (
    <SimpleGrid cols={COLUMNS} spacing="lg" role="status">
      <VisuallyHidden>{t("loading")}</VisuallyHidden>
      {["first", "second", "third", "fourth", "fifth", "sixth"].map((each) => (
        <Card key={each} aria-hidden>
          <Skeleton height={96} radius="md" />
          <Skeleton height={42} radius="xl" mt="md" />
          <Skeleton height={32} radius="xl" mt="md" width="70%" />
        </Card>
      ))}
    </SimpleGrid>
  );
}
