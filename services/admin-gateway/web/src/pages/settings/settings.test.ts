import { describe, expect, it } from "vitest";
import { checkDraft, draftOf, formPath, isChanged, patchOf, rebase, type SettingsValues } from "./draft";
import { generatePassword } from "./password";

const SETTINGS: SettingsValues = {
  sync_response_seconds: 48,
  result_ttl_hours: 72,
  hash_policy: "warn",
  dedupe: "on",
  limits: { slot_running: 4, slot_queue: 8, provider_running: { gemini: 20 } },
};
const base = draftOf(SETTINGS, ["gemini", "local"]);

describe("the settings form", () => {
  it("has a limit for every provider, the default where none was set", () => {
    expect(base.provider_running).toEqual({ gemini: 20, local: 30 });
  });

  it("sends nothing when nothing was changed", () => {
    expect(patchOf(base, { ...base })).toEqual({});
    expect(isChanged(base, { ...base })).toBe(false);
  });

  it("sends only what was changed", () => {
    const draft = {
      ...base,
      sync_response_seconds: 30,
      dedupe: false,
      slot_queue: 0,
      provider_running: { ...base.provider_running, local: 2 },
    };
    expect(patchOf(base, draft)).toEqual({
      sync_response_seconds: 30,
      dedupe: "off",
      limits: { slot_queue: 0, provider_running: { local: 2 } },
    });
  });

  it("accepts the bounds themselves and refuses what lies past them, empty or broken", () => {
    expect(checkDraft({ ...base, sync_response_seconds: 10, result_ttl_hours: 168, slot_queue: 0 })).toEqual(
      {},
    );
    const errors = checkDraft({
      ...base,
      result_ttl_hours: 169,
      slot_running: "",
      slot_queue: 1.5,
      provider_running: { gemini: 0, local: 500 },
    });
    expect(Object.keys(errors).sort()).toEqual([
      "provider_running.gemini",
      "result_ttl_hours",
      "slot_queue",
      "slot_running",
    ]);
    expect(errors["result_ttl_hours"]).toEqual({ low: 24, high: 168 });
  });

  it("after somebody else's save keeps what was typed and takes the rest from them", () => {
    const draft = { ...base, slot_running: 9, provider_running: { gemini: 20, local: 3 } };
    const theirs = draftOf(
      {
        ...SETTINGS,
        sync_response_seconds: 20,
        limits: { ...SETTINGS.limits, slot_running: 5, provider_running: { gemini: 7 } },
      },
      ["gemini", "local"],
    );
    const merged = rebase(base, draft, theirs);
    expect(merged.sync_response_seconds).toBe(20);
    expect(merged.slot_running).toBe(9);
    expect(merged.provider_running).toEqual({ gemini: 7, local: 3 });
    expect(patchOf(theirs, merged)).toEqual({ limits: { slot_running: 9, provider_running: { local: 3 } } });
  });

  it("finds the field the server complains about", () => {
    expect(formPath("limits.provider_running.gemini")).toBe("provider_running.gemini");
    expect(formPath("sync_response_seconds")).toBe("sync_response_seconds");
  });
});

describe("generated passwords", () => {
  it("are long, fresh each time, and without look-alike characters", () => {
    const passwords = new Set(Array.from({ length: 50 }, () => generatePassword()));
    expect(passwords.size).toBe(50);
    for (const password of passwords) expect(password).toMatch(/^[^\s0O1lIi5S8B]{16}$/);
  });

  it("favour no character: bytes past the last whole round are thrown away", () => {
    let calls = 0;
    const password = generatePassword((bytes) => {
      bytes.fill(calls === 0 ? 255 : 0);
      calls += 1;
    });
    expect(password).toBe("a".repeat(16));
    expect(calls).toBe(2);
  });
});
