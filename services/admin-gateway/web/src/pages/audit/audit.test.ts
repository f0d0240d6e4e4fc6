import { describe, expect, it } from "vitest";
import { audit as texts } from "@/i18n/en/audit";
import { filtersOf, isNarrowed, searchOf } from "./filters";
import { ACTIONS, addressOfTarget, GROUPS, knownAction, prefixOf } from "./words";

describe("filters of the audit log", () => {
  it("come back from the address as they were written", () => {
    const filters = { actor: "serg", group: "provider-key", target: "gemini" } as const;
    expect(filtersOf(searchOf(filters))).toEqual(filters);
    expect(isNarrowed(filters)).toBe(true);
  });

  it("are trimmed, cut to what the API takes, and absent where they make no sense", () => {
    const filters = filtersOf(
      new URLSearchParams({ actor: `  ${"a".repeat(80)}`, action: "odd", target: " " }),
    );
    expect(filters.actor).toHaveLength(64);
    expect(filters).toMatchObject({ group: null, target: "" });
    expect(isNarrowed(filtersOf(new URLSearchParams()))).toBe(false);
  });
});

describe("actions in words", () => {
  it("are known by their whole name", () => {
    expect(knownAction("slot.update")).toBe("slot.update");
    expect(knownAction("slot.explode")).toBeNull();
    expect(knownAction("toString")).toBeNull();
  });

  it("have words for every action and group, and none to spare", () => {
    const worded = Object.entries(texts.action).flatMap(([group, verbs]) =>
      Object.keys(verbs).map((verb) => `${group}.${verb}`),
    );
    expect(worded.sort()).toEqual([...ACTIONS].sort());
    expect(Object.keys(texts.group).sort()).toEqual([...GROUPS].sort());
  });

  it("are narrowed by the beginning that a group's actions share", () => {
    for (const group of GROUPS) expect(prefixOf(group)).toBe(`${group}.`);
  });
});

it("a target leads to its page where it has one", () => {
  const id = "0123456789abcdef".repeat(2);
  expect(addressOfTarget("slot.update", "slot-003")).toBe("/slots/slot-003");
  expect(addressOfTarget("slot.update", "slot-016")).toBeNull();
  expect(addressOfTarget("provider-key.set", "gemini")).toBeNull();
  expect(addressOfTarget("job.rerun", id)).toBe(`/jobs/${id}`);
  expect(addressOfTarget("template.delete", id)).toBeNull();
  expect(addressOfTarget("webhook.resend", `msg_${id}`)).toBe(`/webhooks?delivery=msg_${id}`);
});
