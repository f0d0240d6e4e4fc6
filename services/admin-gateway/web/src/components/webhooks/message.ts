import { useTranslation } from "react-i18next";

/** What a message says, in words; its type where there are none. */
export function useMessage(type: string): string {
  const { t } = useTranslation("webhooks");
  return type === "job.finished" ? t("type.finished") : type;
}
