import { Button, Group } from "@mantine/core";
import { IconEraser } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import { confirm } from "@/components/confirm";
import { notifyDone, notifyError } from "@/components/notify";
import { Section } from "./form-cards";

/** Removes at once what is past its time. */
export function CleanupCard() {
  const { t } = useTranslation("settings");
  const run = useMutation({
    mutationFn: () => api.POST("/api/cleanup"),
    onSuccess: () => notifyDone(t("cleanup.accepted")),
    onError: (error) => notifyError(error),
  });
  const ask = async () => {
    const sure = await confirm({
      title: t("cleanup.confirmTitle"),
      text: t("cleanup.confirmText"),
      confirm: t("cleanup.confirm"),
      destructive: true,
    });
    if (sure) run.mutate();
  };
  return (
    <Section title={t("cleanup.title")} intro={t("cleanup.help")}>
      <Group>
        <Button
          variant="default"
          leftSection={<IconEraser size={18} aria-hidden />}
          loading={run.isPending}
          onClick={() => void ask()}
        >
          {t("cleanup.button")}
        </Button>
      </Group>
    </Section>
  );
}
