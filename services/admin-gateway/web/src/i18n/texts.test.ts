import { describe, expect, it } from "vitest";
import * as en from "./en";
import * as ru from "./ru";

/** Texts by dotted key, over all areas. */
function texts(areas: object, prefix = ""): Map<string, string> {
  return new Map(
    Object.entries(areas).flatMap(([name, value]: [string, unknown]) =>
      typeof value === "object" && value !== null
        ? [...texts(value, `${prefix}${name}.`)]
        : [[`${prefix}${name}`, String(value)] as const],
    ),
  );
}

const PLURAL = /_(zero|one|two|few|many|other)$/;
const LANGUAGES = { en: texts(en), ru: texts(ru) };
const withoutPlurals = (keys: Iterable<string>) => new Set([...keys].map((key) => key.replace(PLURAL, "")));

describe("the texts", () => {
  it("are the same in both languages", () => {
    const english = withoutPlurals(LANGUAGES.en.keys());
    const russian = withoutPlurals(LANGUAGES.ru.keys());
    expect([...english].filter((key) => !russian.has(key))).toEqual([]);
    expect([...russian].filter((key) => !english.has(key))).toEqual([]);
  });

  it.each(["en", "ru"] as const)("have all plurals of %s, and no others", (language) => {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    const keys = [...LANGUAGES[language].keys()].filter((key) => PLURAL.test(key));
    for (const base of withoutPlurals(keys)) {
      const found = keys
        .filter((key) => key.replace(PLURAL, "") === base)
        .map((key) => key.slice(base.length + 1));
      expect({ [base]: found.toSorted() }).toEqual({ [base]: wanted });
    }
  });

  it("take the same values in both languages", () => {
    const values = (text: string) => new Set([...text.matchAll(/{{\s*(\w+)/g)].map((match) => match[1]));
    for (const [key, text] of LANGUAGES.ru) {
      const english = LANGUAGES.en.get(key) ?? LANGUAGES.en.get(key.replace(PLURAL, "_other"));
      // "One photo" may be said without the number.
      if (/_one$/.test(key)) continue;
      expect({ [key]: values(text) }).toEqual({ [key]: values(english ?? "") });
    }
  });

  it("say something everywhere", () => {
    for (const language of Object.values(LANGUAGES)) {
      for (const [key, text] of language) expect({ [key]: text.trim() }).not.toEqual({ [key]: "" });
    }
  });
});
