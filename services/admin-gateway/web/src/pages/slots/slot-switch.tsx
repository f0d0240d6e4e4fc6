import { Switch } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { SlotSummary } from "@/api/types";
import { confirm } from "@/components/confirm";
import { notifyError } from "@/components/notify";

/** Switches a slot on, or, asked again, off. */
export function SlotSwitch({ slot }: { slot: SlotSummary }) {
  const { t } = useTranslation("slots");
  const queries = useQueryClient();
  const name = slot.display_name;
  const change = useMutation({
    mutationFn: (isActive: boolean) =>
      answer(
        api.PUT("/api/slots/{slot_id}", {
          params: { path: { slot_id: slot.slot_id } },
          body: { is_active: isActive },
        }),
      ),
    // Shown as wanted until the list tells what is.
    onSettled: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: keys.slots }),
        queries.invalidateQueries({ queryKey: keys.slot(slot.slot_id) }),
      ]),
    onError: (error) => notifyError(error, name),
  });
  const toggle = async (isActive: boolean) => {
    const text = {
      title: t("switchOff.title", { name }),
      text: t("switchOff.text"),
      confirm: t("switchOff.confirm"),
    };
    if (isActive || (await confirm(text))) change.mutate(isActive);
  };
  const shown = change.isPending ? change.variables : slot.is_active;
  return (
    <Switch
      checked={shown}
      disabled={change.isPending}
      onChange={(event) => toggle(event.currentTarget.checked)}
      label={shown ? t("on") : t("off")}
      aria-label={t("switch", { name })}
    />
  );
}
