import { useTranslation } from "react-i18next";
import { useOperationWords } from "@/components/operation-words";

/** Names queues for people: most are a provider's and called like it. */
export function useQueueName(): (queue: string) => string {
  const { t } = useTranslation("queues");
  const words = useOperationWords();
  return (queue) => (queue === "light" ? t("queueName.light") : words.provider(queue));
}
