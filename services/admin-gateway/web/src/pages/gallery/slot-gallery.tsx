import { Button, Center } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import { LoadingRows } from "@/components/loading";
import { EmptyState, ErrorState } from "@/components/states";
import { PictureGrid } from "./picture-grid";

const PAGE = 48;

/** All pictures of one slot that are still kept, page by page. */
export function SlotGallery({ slotId }: { slotId: string }) {
  const { t } = useTranslation(["gallery", "common"]);
  const pages = useInfiniteQuery({
    queryKey: [...keys.gallery, slotId],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: PAGE, ...(pageParam === null ? {} : { cursor: pageParam }) };
      return answer(
        api.GET("/api/gallery/{slot_id}", { params: { path: { slot_id: slotId }, query }, signal }),
      );
    },
    initialPageParam: null as string | null, // Widens the type of what follows.
    getNextPageParam: (last) => last.next_cursor ?? null,
  });
  if (pages.error && !pages.data) return <ErrorState error={pages.error} retry={() => pages.refetch()} />;
  if (!pages.data) return <LoadingRows rows={2} height={180} />;
  const results = pages.data.pages.flatMap((page) => page.results);
  if (results.length === 0) return <EmptyState title={t("emptySlot.title")} text={t("emptySlot.text")} />;
  return (
    <>
      <PictureGrid slotName={pages.data.pages[0]?.display_name ?? slotId} results={results} />
      {pages.isFetchNextPageError && <ErrorState error={pages.error} retry={() => pages.fetchNextPage()} />}
      {pages.hasNextPage && (
        <Center>
          <Button variant="default" loading={pages.isFetchingNextPage} onClick={() => pages.fetchNextPage()}>
            {t("common:more")}
          </Button>
        </Center>
      )}
    </>
  );
}
