import type { Provider, SlotState, SlotSummary } from "@/api/types";

export const SLOT_STATES = [
  "active",
  "busy",
  "delayed",
  "failing",
  "off",
] as const satisfies readonly SlotState[];

/** What the page shows: kept in its address, so that it can be sent and gone back to. */
export interface SlotFilter {
  words: string;
  state: SlotState | null;
}

/** The filter an address asks for. */
export function filterOf(search: URLSearchParams): SlotFilter {
  const state = SLOT_STATES.find((known) => known === search.get("state")) ?? null;
  return { words: search.get("q") ?? "", state };
}

/** The address's part for a filter. */
export function searchOf({ words, state }: SlotFilter): URLSearchParams {
  const search = new URLSearchParams();
  if (words.trim()) search.set("q", words);
  if (state) search.set("state", state);
  return search;
}

/** A slot beside how its provider and operation are called for people. */
export interface NamedSlot {
  slot: SlotSummary;
  provider: string;
  operation: string;
}

type Words = {
  provider: (id: string, title?: string) => string;
  operation: (provider: string, id: string, title?: string) => string;
};

/** Gives each slot the titles of its provider and operation. */
export function named(slots: SlotSummary[], providers: Provider[], words: Words): NamedSlot[] {
  return slots.map((slot) => {
    const provider = providers.find(({ id }) => id === slot.provider);
    const operation = provider?.operations.find(({ id }) => id === slot.operation);
    return {
      slot,
      provider: words.provider(slot.provider, provider?.title),
      operation: words.operation(slot.provider, slot.operation, operation?.title),
    };
  });
}

/** The slots with all the words in their name, id, provider or operation. */
export function withWords(slots: NamedSlot[], words: string): NamedSlot[] {
  const wanted = words.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return slots.filter(({ slot, provider, operation }) => {
    const text = [slot.display_name, slot.slot_id, provider, operation].join(" ").toLocaleLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/** How many slots are in each state. */
export function countByState(slots: NamedSlot[]): Record<SlotState, number> {
  const counts: Record<SlotState, number> = { active: 0, busy: 0, delayed: 0, failing: 0, off: 0 };
  for (const { slot } of slots) counts[slot.state] += 1;
  return counts;
}
