import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { answer, api } from "@/api/client";
import { keys } from "@/api/keys";
import type { Slot } from "@/api/types";
import type { KnownField } from "@/components/schema-form/text-area-control";

/** Form fields booths usually send; what DSLR Remote Pro sets by itself, then common survey fields. */
const USUAL = ["name", "user_id", "id", "time", "profile", "first_name", "event", "email"] as const;
/** Sent by every camera, and of no use in a prompt. */
const UNSUITABLE = new Set(["hash", "password", "status", "version"]);

export interface CameraFields {
  /** For the list of placeholders: those of the last photo first. */
  known: KnownField[];
  /** What the last photo's form said. */
  last: Readonly<Record<string, string>>;
}

const NONE: Readonly<Record<string, string>> = {};

/** The form fields a slot's cameras send: learnt from its last photo, and what is usual. */
export function useCameraFields(slot: Slot): CameraFields {
  const { t } = useTranslation("slot");
  const jobId = slot.latest_result?.job_id;
  const { data: last = NONE } = useQuery({
    queryKey: [...keys.job(jobId ?? ""), "form-fields"],
    enabled: jobId !== undefined,
    // A job's fields never change.
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: ({ signal }) =>
      answer(api.GET("/api/jobs/{job_id}/details", { params: { path: { job_id: jobId ?? "" } }, signal })),
    select: (job) => job.form_fields,
    retry: false,
  });
  return useMemo(() => {
    const seen = Object.entries(last).filter(([name, value]) => !UNSUITABLE.has(name) && value !== "");
    return {
      last,
      known: [
        ...seen.map(([name, value]) => ({ name, help: t("form.seenLast", { value }) })),
        ...USUAL.filter((name) => !(name in last)).map((name) => ({ name, help: t(`form.usual.${name}`) })),
      ],
    };
  }, [last, t]);
}
