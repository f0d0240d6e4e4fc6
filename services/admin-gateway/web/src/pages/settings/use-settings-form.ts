import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { ApiError } from "@/api/errors";
import { keys } from "@/api/keys";
import type { Settings, SettingsChange } from "@/api/types";
import { describeField } from "@/components/describe-error";
import { notifyDone } from "@/components/notify";
import { checkDraft, draftOf, formPath, isChanged, patchOf, rebase, type SettingsDraft } from "./draft";

/** Saves a change of the settings; the answer takes the place of what was fetched. */
export function useSaveSettings() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ change, version }: { change: SettingsChange; version?: number }) =>
      answer(
        api.PUT("/api/settings", {
          body: change,
          ...(version === undefined ? {} : { params: { header: { "If-Match": `"${version}"` } } }),
        }),
      ),
    onSuccess: (settings) => {
      queries.setQueryData(keys.settings, settings);
      void queries.invalidateQueries({ queryKey: keys.audit });
      void queries.invalidateQueries({ queryKey: keys.providers });
    },
    onError: (error) => {
      // Show what it is now beside what was typed.
      if (error instanceof ApiError && error.reason === "version_conflict") {
        void queries.invalidateQueries({ queryKey: keys.settings });
      }
    },
  });
}

/** What the form stands on: the settings as they were when it was filled, and as they are being typed. */
interface FormState {
  readonly version: number;
  readonly base: SettingsDraft;
  readonly draft: SettingsDraft;
  /** Changes of somebody else were put in, and want a look before saving. */
  readonly merged: boolean;
}

function fill(settings: Settings, providers: readonly string[]): FormState {
  const draft = draftOf(settings, providers);
  return { version: settings.version, base: draft, draft, merged: false };
}

/**
 * The settings form: what is typed, what is wrong, whether somebody else saved meanwhile, and saving.
 *
 * While nothing is typed, the form follows the settings. Once something is, changes of others wait until the admin
 * takes them in; a save on top of an older version is refused by the server (`If-Match`).
 */
export function useSettingsForm(settings: Settings, providers: readonly string[]) {
  const { t } = useTranslation("settings");
  const [form, setForm] = useState(() => fill(settings, providers));
  const save = useSaveSettings();
  const changed = isChanged(form.base, form.draft);
  const known = providers.every((name) => name in form.base.provider_running);
  if (!changed && !save.isPending && (form.version !== settings.version || !known)) {
    setForm(fill(settings, providers));
  }

  const bounds = checkDraft(form.draft);
  const refusal = save.error instanceof ApiError ? save.error : null;
  /** What is wrong with a field that the page calls `name`. */
  const errorOf = (path: string, name: string): string | null => {
    const limits = bounds[path];
    if (limits) return t("range", limits);
    const refused = refusal?.fields.find(({ field }) => formPath(field) === path);
    return refusal && refused ? describeField(refusal, refused, name) : null;
  };

  return {
    draft: form.draft,
    changed,
    /** Somebody else saved since the form was filled. */
    outdated: changed && !save.isPending && form.version !== settings.version,
    merged: form.merged,
    valid: Object.keys(bounds).length === 0,
    errorOf,
    saving: save.isPending,
    /** Why the last save was refused; a version conflict shows as `outdated`. */
    refusal: refusal?.reason === "version_conflict" ? null : save.error,
    change: (values: Partial<SettingsDraft>) => {
      if (save.isError) save.reset();
      setForm((before) => ({ ...before, draft: { ...before.draft, ...values } }));
    },
    discard: () => {
      save.reset();
      setForm(fill(settings, providers));
    },
    takeTheirs: () => {
      save.reset();
      const fresh = draftOf(settings, providers);
      setForm((before) => ({
        version: settings.version,
        base: fresh,
        draft: rebase(before.base, before.draft, fresh),
        merged: true,
      }));
    },
    /** Takes a change in that this page itself saved beside the form (a password): nothing to ask about. */
    follow: (saved: Settings) => {
      const fresh = draftOf(saved, providers);
      setForm((before) => ({
        ...before,
        version: saved.version,
        base: fresh,
        draft: rebase(before.base, before.draft, fresh),
      }));
    },
    submit: () => {
      const change = patchOf(form.base, form.draft);
      save.mutate(
        { change, version: form.version },
        {
          onSuccess: (saved) => {
            setForm(fill(saved, providers));
            notifyDone(t("saved"));
          },
        },
      );
    },
  };
}

export type SettingsForm = ReturnType<typeof useSettingsForm>;
