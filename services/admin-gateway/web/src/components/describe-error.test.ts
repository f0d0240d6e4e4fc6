import { execFileSync } from "node:child_process";
import i18next from "i18next";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { ApiError } from "@/api/errors";
import { errors as english } from "@/i18n/en/errors";
import { reasons as englishReasons } from "@/i18n/en/reasons";
import { errors as russian } from "@/i18n/ru/errors";
import { reasons as russianReasons } from "@/i18n/ru/reasons";
import { describeError, describeField, describeOnlyField } from "./describe-error";

/** Tests run in the folder of package.json. */
const PYTHON = "../../../.venv/bin/python";
/** Tells each `failure_reason` of an answer and each failure of a job, as the gateway of this very tree has them. */
const TELL = `
import json
from photochanger_gateway.adapters.http import app
from photochanger_gateway.domain import refusals

def meanings(value):
    if isinstance(value, refusals.HttpMeaning):
        yield value.failure_reason
    elif isinstance(value, dict):
        for each in value.values():
            yield from meanings(each)

found = {reason for module in (refusals, app) for value in list(vars(module).values()) for reason in meanings(value)}
print(json.dumps({"refusals": sorted(found), "failures": sorted(refusals.BY_FAILURE)}))
`;

function told(): { refusals: string[]; failures: string[] } {
  // Its shape is that of the script above.
  return JSON.parse(execFileSync(PYTHON, ["-c", TELL], { encoding: "utf8" })) as ReturnType<typeof told>;
}

beforeAll(async () => {
  await i18next.init({
    resources: { en: { errors: english }, ru: { errors: russian } },
    lng: "en",
    fallbackLng: false,
    interpolation: { escapeValue: false },
  });
});
afterEach(() => i18next.changeLanguage("en"));

it("there are words in both languages for all that the gateway refuses", { timeout: 60_000 }, () => {
  const { refusals, failures } = told();
  expect(refusals).toEqual(
    expect.arrayContaining(["slot_not_found", "method_not_allowed", "internal_error"]),
  );
  for (const texts of [english, russian]) expect(refusals.filter((each) => !(each in texts))).toEqual([]);
  for (const texts of [englishReasons, russianReasons]) {
    expect(failures.filter((each) => !(each in texts))).toEqual([]);
  }
});

describe("what went wrong", () => {
  const later = new ApiError({ status: 409, reason: "moon_is_full", details: "The moon is full." });

  it("is said by its code, and in the server's words only to who reads English", async () => {
    expect(describeError(new ApiError({ status: 404, reason: "slot_not_found", details: "?" }))).toBe(
      english.slot_not_found,
    );
    expect(describeError(later)).toBe("The moon is full.");
    await i18next.changeLanguage("ru");
    expect(describeError(later)).toBe("Сервер отказал (moon_is_full).");
  });

  const field = { field: "settings.prompt", message: "is too long" };
  const refused = new ApiError({ status: 422, reason: "invalid_settings", fields: [field] });

  it("with a field names the field to who does not read English", async () => {
    expect(describeField(refused, field, "Prompt")).toBe("is too long");
    await i18next.changeLanguage("ru");
    expect(describeField(refused, field, "Промпт")).toBe("Сервер не принял значение поля «Промпт».");
  });

  it("with a field is said by its code where that says it all", async () => {
    await i18next.changeLanguage("ru");
    const gone = new ApiError({ status: 422, reason: "provider_not_found", fields: [field] });
    expect(describeOnlyField(gone, "Провайдер")).toBe(russian.provider_not_found);
    expect(describeOnlyField(later, "Ключ")).toBe("Сервер отказал (moon_is_full).");
  });
});
