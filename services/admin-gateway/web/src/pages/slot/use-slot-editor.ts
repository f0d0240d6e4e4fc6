import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answer, api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { keys } from "@/api/keys";
import type { Provider, Slot } from "@/api/types";
import { type Change, changesOf, type Draft, draftOf, onTopOf, type SlotValues } from "./draft";
import { changeOf, operationOf, valuesOf } from "./values";

/** What is being edited: a version of the slot, its values, and what becomes of them. */
export interface Editing {
  version: number;
  base: SlotValues;
  draft: Draft;
}

export interface SlotEditor {
  editing: Editing;
  changes: Change[];
  /** A version somebody saved while there are unsaved changes here. */
  newer: Slot | null;
  saving: boolean;
  /** Whether the last save was refused because of `newer`. */
  conflict: boolean;
  /** Why the last save failed, and the draft it was of. */
  refusal: { error: unknown; draft: Draft } | null;
  update: (change: (draft: Draft) => Draft) => void;
  /** The slot as saved; rejects with why not. */
  save: () => Promise<Slot>;
  discard: () => void;
  keepMine: () => void;
  takeTheirs: () => void;
  setConflict: (open: boolean) => void;
  /** Starts again from a slot the server answered with. */
  adopt: (slot: Slot) => void;
}

/** Holds the unsaved values of a slot against the versions the server has. */
export function useSlotEditor(slot: Slot, providers: readonly Provider[]): SlotEditor {
  const queries = useQueryClient();
  const started = (from: Slot): Editing => {
    const base = valuesOf(from, providers);
    return { version: from.version, base, draft: draftOf(base) };
  };
  const [editing, setEditing] = useState(() => started(slot));
  const [conflict, setConflict] = useState(false);
  const [refusal, setRefusal] = useState<SlotEditor["refusal"]>(null);
  const { version, base, draft } = editing;
  const changes = changesOf(base, draft);

  const known = (saved: Slot) => {
    queries.setQueryData(keys.slot(saved.slot_id), saved);
    void queries.invalidateQueries({ queryKey: keys.slots });
    void queries.invalidateQueries({ queryKey: keys.slotHistory(saved.slot_id) });
    void queries.invalidateQueries({ queryKey: keys.audit });
  };

  const mutation = useMutation({
    mutationFn: (sent: Editing) =>
      answer(
        api.PUT("/api/slots/{slot_id}", {
          params: { path: { slot_id: slot.slot_id }, header: { "If-Match": `"${sent.version}"` } },
          body: changeOf(
            sent.base,
            sent.draft,
            operationOf(providers, sent.draft.provider, sent.draft.operation),
          ),
        }),
      ),
    onSuccess: (saved, sent) => {
      known(saved);
      setRefusal(null);
      // What was typed while the save was on its way stays, as changes of the new version.
      setEditing((now) => {
        const next = started(saved);
        if (now.draft === sent.draft) return next;
        const password =
          now.draft.ingest_password === sent.draft.ingest_password ? null : now.draft.ingest_password;
        return {
          ...next,
          draft: onTopOf(next.base, sent.draft, { ...now.draft, ingest_password: password }),
        };
      });
    },
    onError: async (error, sent) => {
      if (error instanceof ApiError && error.reason === "version_conflict") {
        await queries.refetchQueries({ queryKey: keys.slot(slot.slot_id), exact: true });
        setConflict(true);
        return;
      }
      setRefusal({ error, draft: sent.draft });
    },
  });

  const isNewer = slot.version > version;
  // Nothing of the reader's is lost, so the page simply shows what is saved now.
  if (isNewer && changes.length === 0 && !mutation.isPending) setEditing(started(slot));

  return {
    editing,
    changes,
    newer: isNewer && changes.length > 0 && !mutation.isPending ? slot : null,
    saving: mutation.isPending,
    conflict: conflict && isNewer,
    refusal,
    update: (change) => setEditing((now) => ({ ...now, draft: change(now.draft) })),
    save: () => mutation.mutateAsync(editing),
    discard: () => {
      setRefusal(null);
      setEditing(started(slot));
    },
    keepMine: () => {
      const next = started(slot);
      setEditing({ ...next, draft: onTopOf(next.base, base, draft) });
      setConflict(false);
    },
    takeTheirs: () => {
      setEditing(started(slot));
      setRefusal(null);
      setConflict(false);
    },
    setConflict,
    adopt: (saved) => {
      known(saved);
      setRefusal(null);
      setEditing(started(saved));
    },
  };
}
