import { Button, Group, Select } from "@mantine/core";
import { IconFilterOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { slotsQuery } from "@/api/queries";
import { JOB_SOURCES, JOB_STATUSES } from "@/components/jobs/model";
import { filtersOf, isNarrowed, type JobFilters, searchOf } from "./filters";

interface JobFiltersBarProps {
  filters: JobFilters;
  onChange: (filters: JobFilters) => void;
}

/** Narrows the list; the choice stands in the page's address. */
export function JobFiltersBar({ filters, onChange }: JobFiltersBarProps) {
  const { t } = useTranslation("jobs");
  const { t: common } = useTranslation();
  const slots = useQuery(slotsQuery);
  const change = (name: string, value: string | null) => {
    const search = searchOf(filters);
    if (value) search.set(name, value);
    else search.delete(name);
    onChange(filtersOf(search));
  };
  const names = slots.data?.map((slot) => ({ value: slot.slot_id, label: slot.display_name })) ?? [];
  // The address may name a slot before the list of them is there.
  const known = names.some(({ value }) => value === filters.slot);
  const options = filters.slot && !known ? [...names, { value: filters.slot, label: filters.slot }] : names;
  return (
    <Group role="search" aria-label={t("filters.label")} gap="sm" align="flex-end">
      <Select
        label={t("filters.slot")}
        placeholder={t("filters.allSlots")}
        data={options}
        value={filters.slot}
        onChange={(value) => change("slot", value)}
        clearable
        searchable
        radius="xl"
        flex="1 1 14rem"
        maw={{ sm: "22rem" }}
      />
      <Select
        label={t("filters.status")}
        placeholder={t("filters.allStatuses")}
        data={JOB_STATUSES.map((status) => ({ value: status, label: common(`jobStatus.${status}`) }))}
        value={filters.status}
        onChange={(value) => change("status", value)}
        clearable
        radius="xl"
        flex="1 1 10rem"
        maw={{ sm: "15rem" }}
      />
      <Select
        label={t("filters.source")}
        placeholder={t("filters.allSources")}
        data={JOB_SOURCES.map((source) => ({ value: source, label: t(`source.${source}`) }))}
        value={filters.source}
        onChange={(value) => change("source", value)}
        clearable
        radius="xl"
        flex="1 1 10rem"
        maw={{ sm: "15rem" }}
      />
      {isNarrowed(filters) && (
        <Button
          variant="subtle"
          leftSection={<IconFilterOff size={18} aria-hidden />}
          onClick={() => onChange({ slot: null, status: null, source: null })}
        >
          {t("filters.clear")}
        </Button>
      )}
    </Group>
  );
}
