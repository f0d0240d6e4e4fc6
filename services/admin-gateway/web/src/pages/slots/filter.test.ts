import { expect, it } from "vitest";
import { aSlot } from "@/testing/builders";
import { countByState, filterOf, named, searchOf, withWords } from "./filter";

const WORDS = {
  provider: (id: string, title?: string) => title ?? id,
  operation: (_: string, id: string, title?: string) => title ?? id,
};
const SLOTS = named(
  [
    aSlot({ slot_id: "slot-001", display_name: "Wedding booth", provider: "local", operation: "comic" }),
    aSlot({
      slot_id: "slot-002",
      display_name: "Портрет",
      provider: "gemini",
      operation: "image_edit",
      state: "off",
    }),
  ],
  [],
  WORDS,
);

it("finds a slot by any of its words, in any case and order", () => {
  const ids = (words: string) => withWords(SLOTS, words).map(({ slot }) => slot.slot_id);
  expect(ids("")).toEqual(["slot-001", "slot-002"]);
  expect(ids("COMIC wedding")).toEqual(["slot-001"]);
  expect(ids("портр")).toEqual(["slot-002"]);
  expect(ids("002")).toEqual(["slot-002"]);
  expect(ids("wedding gemini")).toEqual([]);
});

it("counts the slots of each state", () => {
  expect(countByState(SLOTS)).toEqual({ active: 1, busy: 0, delayed: 0, failing: 0, off: 1 });
});

it("keeps its filter in the address and ignores states there are not", () => {
  const filter = { words: "портрет 1", state: "failing" } as const;
  expect(filterOf(searchOf(filter))).toEqual(filter);
  expect(filterOf(new URLSearchParams("state=asleep"))).toEqual({ words: "", state: null });
  expect(searchOf({ words: " ", state: null }).toString()).toBe("");
});
