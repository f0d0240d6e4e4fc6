import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { galleriesQuery } from "@/api/queries";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { EmptyState, ErrorState } from "@/components/states";
import { PictureGrid } from "./picture-grid";
import { ShareCard } from "./share-card";
import { SlotGallery } from "./slot-gallery";

/** The newest pictures by slot, and sharing them with guests. */
export function Component() {
  const { t } = useTranslation("gallery");
  const [search, setSearch] = useSearchParams();
  const chosen = search.get("slot");
  const choose = (slotId: string | null) => setSearch(slotId ? { slot: slotId } : {});
  const galleries = useQuery(galleriesQuery);
  const slots = galleries.data?.slots ?? [];
  const filled = slots.filter(({ results }) => results.length > 0);

  return (
    <Page
      title={t("title")}
      subtitle={t("subtitle")}
      actions={
        <Select
          aria-label={t("slot")}
          placeholder={t("allSlots")}
          radius="xl"
          size="md"
          w={{ base: "100%", xs: 280 }}
          clearable
          clearButtonProps={{ "aria-label": t("allSlots") }}
          data={slots.map(({ slot_id, display_name }) => ({ value: slot_id, label: display_name }))}
          value={chosen}
          onChange={choose}
        />
      }
    >
      {galleries.data && <ShareCard sharedUntil={galleries.data.share_until ?? null} />}
      {chosen ? (
        <SlotGallery slotId={chosen} key={chosen} />
      ) : galleries.data ? (
        filled.length > 0 ? (
          filled.map(({ slot_id, display_name, results }) => (
            <PictureGrid
              key={slot_id}
              slotName={display_name}
              results={results}
              onShowAll={() => choose(slot_id)}
            />
          ))
        ) : (
          <EmptyState title={t("empty.title")} text={t("empty.text")} />
        )
      ) : galleries.error ? (
        <ErrorState error={galleries.error} retry={() => galleries.refetch()} />
      ) : (
        <LoadingRows rows={3} height={180} />
      )}
    </Page>
  );
}
