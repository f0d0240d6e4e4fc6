import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { ApiError } from "@/api/errors";
import { providersQuery, slotQuery } from "@/api/queries";
import { NotFoundPage } from "@/app/fallbacks";
import { LoadingRows } from "@/components/loading";
import { Page } from "@/components/page";
import { ErrorState } from "@/components/states";
import { SlotPage } from "./slot-page";

/** `/slots/:slotId` */
export function Component() {
  const { slotId = "" } = useParams();
  const { t } = useTranslation("slot");
  const slot = useQuery(slotQuery(slotId));
  const providers = useQuery(providersQuery);

  if (slot.data && providers.data) {
    // A form of its own for each slot.
    return <SlotPage key={slotId} slot={slot.data} providers={providers.data} />;
  }
  const error = slot.error ?? providers.error;
  if (error instanceof ApiError && error.reason === "slot_not_found") return <NotFoundPage />;
  const retry = () => {
    if (slot.isError) void slot.refetch();
    if (providers.isError) void providers.refetch();
  };
  return (
    <Page title={t("heading.id", { id: slotId })}>
      {error ? <ErrorState error={error} retry={retry} /> : <LoadingRows rows={4} height={140} />}
    </Page>
  );
}
