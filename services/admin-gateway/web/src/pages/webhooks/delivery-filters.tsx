import { Button, Group, Select, TextInput } from "@mantine/core";
import { IconFilterOff } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useClients } from "@/components/use-clients";
import { DELIVERY_STATES, type DeliveryFilters, isJobId, isNarrowed, NO_FILTERS } from "./filters";

/** How long a job's id is. */
const JOB_ID_LENGTH = 32;

interface DeliveryFiltersBarProps {
  filters: DeliveryFilters;
  onChange: (filters: DeliveryFilters) => void;
}

/** Narrows the list; the choice stands in the page's address. */
export function DeliveryFiltersBar({ filters, onChange }: DeliveryFiltersBarProps) {
  const { t } = useTranslation("webhooks");
  const clients = useClients();
  const [job, setJob] = useState(filters.job ?? "");
  const [left, setLeft] = useState(false);
  const names = clients.map(({ id, name }) => ({ value: id, label: name }));
  // The address may name a client before the list of them is there.
  const known = filters.client === null || names.some(({ value }) => value === filters.client);
  const options = known ? names : [...names, { value: filters.client ?? "", label: filters.client ?? "" }];
  const type = (text: string) => {
    const typed = text.trim().toLowerCase();
    setJob(typed);
    setLeft(false);
    const wanted = isJobId(typed) ? typed : null;
    if (wanted !== filters.job) onChange({ ...filters, job: wanted });
  };
  return (
    <Group role="search" aria-label={t("filters.label")} gap="sm" align="flex-start">
      <Select
        label={t("filters.client")}
        placeholder={t("filters.allClients")}
        data={options}
        value={filters.client}
        onChange={(client) => onChange({ ...filters, client })}
        clearable
        searchable
        radius="xl"
        flex="1 1 14rem"
        maw={{ sm: "20rem" }}
      />
      <Select
        label={t("filters.state")}
        placeholder={t("filters.allStates")}
        data={DELIVERY_STATES.map((state) => ({ value: state, label: t(`stateFilter.${state}`) }))}
        value={filters.state}
        onChange={(value) =>
          onChange({ ...filters, state: DELIVERY_STATES.find((state) => state === value) ?? null })
        }
        clearable
        radius="xl"
        flex="1 1 10rem"
        maw={{ sm: "15rem" }}
      />
      <TextInput
        label={t("filters.job")}
        placeholder={t("filters.jobHelp")}
        value={job}
        maxLength={JOB_ID_LENGTH}
        error={left && job !== "" && !isJobId(job) && t("filters.jobWanted")}
        autoComplete="off"
        spellCheck={false}
        radius="xl"
        flex="1 1 14rem"
        maw={{ sm: "24rem" }}
        onChange={({ currentTarget: { value } }) => type(value)}
        onBlur={() => setLeft(true)}
      />
      {isNarrowed(filters) && (
        <Button
          variant="subtle"
          // In line with the fields, whose labels stand above them.
          mt={27}
          leftSection={<IconFilterOff size={18} aria-hidden />}
          onClick={() => {
            setJob("");
            onChange(NO_FILTERS);
          }}
        >
          {t("filters.clear")}
        </Button>
      )}
    </Group>
  );
}
