import { Anchor, Badge, Button, Card, Group, SimpleGrid, Stack, Text, Title } from "@mantine/core";
import { IconCircleCheck, IconCircleX, IconReplace, IconTrash } from "@tabler/icons-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { ApiKey } from "@/api/types";
import { confirm } from "@/components/confirm";
import { FactList } from "@/components/figures/fact-list";
import { notifyDone, notifyError } from "@/components/notify";
import { Pill } from "@/components/status-pill";
import { TimeAgo } from "@/components/time-ago";
import classes from "./api-keys.module.css";
import { SCOPE_TEXTS, scopesOf } from "./scopes";
import { useRevokeKey } from "./use-api-keys";

interface ApiKeyCardsProps {
  keys: readonly ApiKey[];
  /** Asks for one more key of a key's client. */
  onReplace: (key: ApiKey) => void;
}

/** Keys, each with what it may do, who made it and whether it is in use. */
export function ApiKeyCards({ keys, onReplace }: ApiKeyCardsProps) {
  return (
    <SimpleGrid
      component="ul"
      cols={{ base: 1, md: 2, wall: 3 }}
      spacing="lg"
      className={classes["list"] ?? ""}
    >
      {keys.map((key) => (
        <li key={key.id}>
          <ApiKeyCard apiKey={key} onReplace={() => onReplace(key)} />
        </li>
      ))}
    </SimpleGrid>
  );
}

function ApiKeyCard({ apiKey, onReplace }: { apiKey: ApiKey; onReplace: () => void }) {
  const { t } = useTranslation("keys");
  const id = useId();
  const revoke = useRevokeKey();
  const revoked = apiKey.revoked_at !== null;
  const ask = async () => {
    const sure = await confirm({
      title: t("revoke.title", { name: apiKey.name }),
      text: t("revoke.text"),
      confirm: t("revoke.button"),
      destructive: true,
    });
    if (!sure) return;
    revoke.mutate(apiKey.id, {
      onSuccess: () => notifyDone(t("revoke.done", { name: apiKey.name })),
      onError: (error) => notifyError(error),
    });
  };
  return (
    <Card
      component="article"
      aria-labelledby={id}
      h="100%"
      className={classes["card"] ?? ""}
      data-revoked={revoked}
    >
      <Stack gap="md" h="100%">
        <Group justify="space-between" align="flex-start" gap="xs" wrap="nowrap">
          <Stack gap={2} miw={0}>
            <Title order={2} size="h3" id={id} className={classes["name"] ?? ""}>
              {apiKey.name}
            </Title>
            <Text fz="sm" c="dimmed" className={classes["code"] ?? ""}>
              {`pc_…${apiKey.last_four}`}
            </Text>
          </Stack>
          <Pill
            {...(revoked
              ? ({ tone: "quiet", icon: IconCircleX } as const)
              : ({ tone: "good", icon: IconCircleCheck } as const))}
            text={revoked ? t("state.revoked") : t("state.valid")}
          />
        </Group>
        <Group component="ul" gap={6} aria-label={t("facts.scopes")} className={classes["list"] ?? ""}>
          {scopesOf(apiKey.scopes).map((scope) => (
            <li key={scope}>
              <Badge variant="default" tt="none" fw={550} size="lg" title={scope}>
                {t(`scope.${SCOPE_TEXTS[scope]}.title`)}
              </Badge>
            </li>
          ))}
        </Group>
        <FactList
          facts={[
            {
              name: t("facts.created"),
              value: (
                <>
                  <TimeAgo at={apiKey.created_at} />, {apiKey.created_by}
                </>
              ),
            },
            { name: t("facts.lastUsed"), value: <TimeAgo at={apiKey.last_used_at} /> },
            ...(revoked
              ? [
                  {
                    name: t("facts.revoked"),
                    value: (
                      <>
                        <TimeAgo at={apiKey.revoked_at} />
                        {apiKey.revoked_by && `, ${apiKey.revoked_by}`}
                      </>
                    ),
                  },
                ]
              : []),
            { name: t("facts.client"), value: <span className={classes["code"]}>{apiKey.client_id}</span> },
          ]}
        />
        <Anchor
          component={Link}
          to={`/webhooks?client=${apiKey.client_id}`}
          fz="sm"
          aria-label={t("webhooksOf", { name: apiKey.name })}
        >
          {t("toWebhooks")}
        </Anchor>
        {!revoked && (
          <Group gap="xs" mt="auto">
            <Button
              size="xs"
              variant="default"
              leftSection={<IconReplace size={16} aria-hidden />}
              aria-label={`${apiKey.name}: ${t("replace.button")}`}
              onClick={onReplace}
            >
              {t("replace.button")}
            </Button>
            <Button
              size="xs"
              variant="subtle"
              className={classes["revoke"] ?? ""}
              leftSection={<IconTrash size={16} aria-hidden />}
              loading={revoke.isPending}
              aria-label={`${apiKey.name}: ${t("revoke.button")}`}
              onClick={() => void ask()}
            >
              {t("revoke.button")}
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
