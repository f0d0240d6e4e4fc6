import { describe, expect, it } from "vitest";
import { reasons as en } from "@/i18n/en/reasons";
import { reasons as ru } from "@/i18n/ru/reasons";
import { FAILURES, failureKey, remedyOf } from "./reasons";

describe("failures of jobs", () => {
  it.each([...FAILURES, "unknown" as const])(
    "%s is explained in both languages, with what to do",
    (failure) => {
      for (const words of [en[failure], ru[failure]]) {
        expect(words.title.length).toBeGreaterThan(3);
        expect(words.meaning.length).toBeGreaterThan(20);
        expect(words.todo.length).toBeGreaterThan(20);
      }
      expect(ru[failure].title).toMatch(/[а-яё]/i);
      expect(en[failure].title).not.toMatch(/[а-яё]/i);
    },
  );

  it("that came later than this page are called unknown, by their own code", () => {
    expect(failureKey("quota")).toBe("quota");
    expect(failureKey("solar_flare")).toBe("unknown");
    expect(failureKey("toString")).toBe("unknown");
    expect(en.unknown.meaning).toContain("{{reason}}");
    expect(ru.unknown.meaning).toContain("{{reason}}");
  });

  it("lead to the page that helps, or to none", () => {
    expect(remedyOf("auth")).toBe("settings");
    expect(remedyOf("config")).toBe("slot");
    expect(remedyOf("internal")).toBeNull();
    expect(remedyOf("solar_flare")).toBeNull();
  });
});
