import { Chip, CloseButton, Group, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { SlotState } from "@/api/types";
import { SLOT_STATES, type SlotFilter } from "./filter";

const ALL = "all";

interface ToolbarProps {
  filter: SlotFilter;
  onChange: (filter: SlotFilter) => void;
  counts: Record<SlotState, number>;
  total: number;
}

/** Search by words, filter by state. */
export function Toolbar({ filter, onChange, counts, total }: ToolbarProps) {
  const { t } = useTranslation(["slots", "common"]);
  const choose = (value: string | string[]) =>
    onChange({ ...filter, state: SLOT_STATES.find((state) => state === value) ?? null });
  return (
    <Group gap="md" role="search">
      <TextInput
        type="search"
        aria-label={t("search")}
        placeholder={t("searchHelp")}
        radius="xl"
        size="md"
        w={{ base: "100%", sm: 340 }}
        maxLength={100}
        value={filter.words}
        onChange={(event) => onChange({ ...filter, words: event.currentTarget.value })}
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={
          filter.words && (
            <CloseButton
              radius="xl"
              aria-label={t("none.clear")}
              onClick={() => onChange({ ...filter, words: "" })}
            />
          )
        }
      />
      <Chip.Group value={filter.state ?? ALL} onChange={choose}>
        <Group gap={6} role="radiogroup" aria-label={t("filter")}>
          <Chip value={ALL} radius="xl" variant="outline">
            {`${t("all")} · ${total}`}
          </Chip>
          {SLOT_STATES.filter((state) => counts[state] > 0 || filter.state === state).map((state) => (
            <Chip key={state} value={state} radius="xl" variant="outline">
              {`${t(`common:slotState.${state}`)} · ${counts[state]}`}
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </Group>
  );
}
