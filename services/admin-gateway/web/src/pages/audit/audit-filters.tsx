import { Button, Group, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconFilterOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { type AuditFilters, isNarrowed, TEXT_MAX } from "./filters";
import { GROUPS, groupOf } from "./words";

/** Who types is not asked about each letter. */
const TYPING_MS = 400;

interface AuditFiltersBarProps {
  filters: AuditFilters;
  onChange: (filters: AuditFilters) => void;
}

/** Narrows the log by who, what and on what. */
export function AuditFiltersBar({ filters, onChange }: AuditFiltersBarProps) {
  const { t } = useTranslation("audit");
  const [actor, setActor] = useState(filters.actor);
  const [target, setTarget] = useState(filters.target);
  const settle = useDebouncedCallback(onChange, TYPING_MS);
  const clear = () => {
    settle.cancel();
    setActor("");
    setTarget("");
    onChange({ actor: "", group: null, target: "" });
  };
  return (
    <Group role="search" aria-label={t("filters.label")} gap="sm" align="flex-end">
      <TextInput
        label={t("filters.actor")}
        placeholder={t("filters.actorHelp")}
        value={actor}
        maxLength={TEXT_MAX}
        radius="xl"
        flex="1 1 11rem"
        maw={{ sm: "16rem" }}
        onChange={({ currentTarget: { value } }) => {
          setActor(value);
          settle({ ...filters, actor: value.trim(), target: target.trim() });
        }}
      />
      <Select
        label={t("filters.action")}
        placeholder={t("filters.anyAction")}
        data={GROUPS.map((group) => ({ value: group, label: t(`group.${group}`) }))}
        value={filters.group}
        clearable
        radius="xl"
        flex="1 1 12rem"
        maw={{ sm: "18rem" }}
        onChange={(value) => onChange({ actor: actor.trim(), group: groupOf(value), target: target.trim() })}
      />
      <TextInput
        label={t("filters.target")}
        placeholder={t("filters.targetHelp")}
        value={target}
        maxLength={TEXT_MAX}
        radius="xl"
        flex="1 1 11rem"
        maw={{ sm: "16rem" }}
        onChange={({ currentTarget: { value } }) => {
          setTarget(value);
          settle({ ...filters, actor: actor.trim(), target: value.trim() });
        }}
      />
      {isNarrowed(filters) && (
        <Button variant="subtle" leftSection={<IconFilterOff size={18} aria-hidden />} onClick={clear}>
          {t("filters.clear")}
        </Button>
      )}
    </Group>
  );
}
