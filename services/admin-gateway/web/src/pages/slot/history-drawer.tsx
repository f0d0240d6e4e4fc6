import { Badge, Button, Drawer, Group, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Provider, Slot, SlotVersion } from "@/api/types";
import { confirm } from "@/components/confirm";
import { LoadingRows } from "@/components/loading";
import { notifyError } from "@/components/notify";
import { ErrorState } from "@/components/states";
import { TimeAgo } from "@/components/time-ago";
import { ChangeList } from "./change-list";
import { changesBetween } from "./draft";
import classes from "./history-drawer.module.css";
import { DIALOG_TITLE } from "./section";
import { useValueWords } from "./use-value-words";
import { valuesOf } from "./values";

interface HistoryDrawerProps {
  opened: boolean;
  onClose: () => void;
  slot: Slot;
  providers: readonly Provider[];
  /** Whether restoring would drop something. */
  unsaved: boolean;
  /** `from`: the version whose values are the slot's again. */
  onRestored: (slot: Slot, from: number) => void;
}

/** Who changed the slot, when and what; and the way back. */
export function HistoryDrawer({ opened, onClose, ...props }: HistoryDrawerProps) {
  const { t } = useTranslation("slot");
  return (
    <Drawer
      opened={opened}
      onClose={onClose}
      position="right"
      size="lg"
      styles={DIALOG_TITLE}
      title={t("history.title", { slot: props.slot.slot_id })}
      closeButtonProps={{ "aria-label": t("close", { ns: "common" }) }}
    >
      <Versions {...props} onClose={onClose} />
    </Drawer>
  );
}

function Versions({ slot, providers, unsaved, onRestored, onClose }: Omit<HistoryDrawerProps, "opened">) {
  const { t } = useTranslation("slot");
  const history = useInfiniteQuery({
    queryKey: keys.slotHistory(slot.slot_id),
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET("/api/slots/{slot_id}/history", {
          params: { path: { slot_id: slot.slot_id }, query: pageParam === "" ? {} : { cursor: pageParam } },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_cursor,
  });
  const restore = useMutation({
    mutationFn: (version: number) =>
      answer(
        api.POST("/api/slots/{slot_id}/restore", {
          params: { path: { slot_id: slot.slot_id }, header: { "If-Match": `"${slot.version}"` } },
          body: { version },
        }),
      ),
    onSuccess: (restored, version) => {
      onRestored(restored, version);
      onClose();
    },
    onError: (error) => notifyError(error),
  });
  const ask = async (version: number) => {
    const sure = await confirm({
      title: t("history.restoreTitle", { version }),
      text: unsaved ? `${t("history.restoreText")} ${t("history.restoreUnsaved")}` : t("history.restoreText"),
      confirm: t("history.restore"),
      destructive: unsaved,
    });
    if (sure) restore.mutate(version);
  };
  if (history.isPending) return <LoadingRows rows={5} height={72} />;
  if (history.isError) return <ErrorState error={history.error} retry={() => void history.refetch()} />;
  return (
    <Stack gap="md">
      <ol className={classes["versions"]}>
        {history.data.pages
          .flatMap((page) => page.versions)
          .map((version) => (
            <Version
              key={version.version}
              version={version}
              slot={slot}
              providers={providers}
              busy={restore.isPending}
              onRestore={() => void ask(version.version)}
            />
          ))}
      </ol>
      {history.hasNextPage && (
        <Button
          variant="default"
          loading={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          {t("history.more")}
        </Button>
      )}
    </Stack>
  );
}

interface VersionProps {
  version: SlotVersion;
  slot: Slot;
  providers: readonly Provider[];
  busy: boolean;
  onRestore: () => void;
}

function Version({ version, slot, providers, busy, onRestore }: VersionProps) {
  const { t } = useTranslation("slot");
  const words = useValueWords(providers);
  const [compared, setCompared] = useState(false);
  const current = version.version === slot.version;
  const then = valuesOf(version.values, providers);
  const now = valuesOf(slot, providers);
  const changes = compared ? changesBetween(then, now) : [];
  const named = version.changed_fields.map((field) => words.name(field, then));
  return (
    <li className={classes["version"]} data-current={current}>
      <Group gap="xs">
        <Text fw={650}>{t("history.version", { version: version.version })}</Text>
        {current && (
          <Badge variant="light" tt="none">
            {t("history.now")}
          </Badge>
        )}
        {version.restored_from !== null && (
          <Badge variant="light" color="gray" tt="none">
            {t("history.restoredFrom", { version: version.restored_from })}
          </Badge>
        )}
      </Group>
      <Text fz="sm" c="dimmed">
        {version.updated_by} · <TimeAgo at={version.updated_at} />
      </Text>
      <Text fz="sm" mt={4}>
        {named.length > 0
          ? named.join(" · ")
          : t(version.version === 1 ? "history.first" : "history.nothing")}
      </Text>
      {!current && (
        <Group gap="xs" mt="xs">
          <Button
            size="compact-sm"
            variant="light"
            aria-expanded={compared}
            onClick={() => setCompared(!compared)}
          >
            {t(compared ? "history.hide" : "history.compare")}
          </Button>
          <Button size="compact-sm" variant="subtle" disabled={busy} onClick={onRestore}>
            {t("history.restore")}
          </Button>
        </Group>
      )}
      {compared && (
        <Stack mt="sm" gap="xs">
          {changes.length === 0 && (
            <Text fz="sm" c="dimmed">
              {t("history.same")}
            </Text>
          )}
          <ChangeList
            changes={changes}
            words={words}
            before={then}
            after={now}
            labels={[t("history.former"), t("history.current")]}
          />
        </Stack>
      )}
    </li>
  );
}
