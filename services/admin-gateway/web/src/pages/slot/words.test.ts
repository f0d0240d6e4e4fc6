import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { operations as english } from "@/i18n/en/operations";
import { operations as russian } from "@/i18n/ru/operations";

/** Tests run in the folder of package.json. */
const PYTHON = "../../../.venv/bin/python";
/** Tells each setting of each operation, as the drivers of this very tree have them. */
const TELL = `
import json
from photochanger_providers.drivers.registry import registered_drivers
print(json.dumps([
    {"provider": entry.info.id, "operation": each.id, "roles": [role.id for role in each.template_roles],
     "fields": list(each.settings_schema["properties"])}
    for entry in registered_drivers() for each in entry.info.operations
]))
`;

interface Told {
  provider: string;
  operation: string;
  roles: string[];
  fields: string[];
}

function told(): Told[] {
  // Its shape is that of the script above.
  return JSON.parse(execFileSync(PYTHON, ["-c", TELL], { encoding: "utf8" })) as Told[];
}

function at(texts: object, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (found, name) => (found instanceof Object ? Reflect.get(found, name) : undefined),
    texts,
  );
}

it("there are words in both languages for all that providers offer", { timeout: 60_000 }, () => {
  const missing: string[] = [];
  for (const { provider, operation, roles, fields } of told()) {
    for (const texts of [english, russian]) {
      const language = texts === english ? "en" : "ru";
      const want = (found: unknown, what: string) => {
        if (!found) missing.push(`${language}: ${what}`);
      };
      want(at(texts, "providers", provider), provider);
      want(at(texts, "operations", provider, operation), `${provider}.${operation}`);
      for (const role of roles) want(at(texts, "roles", provider, role), `${provider} role ${role}`);
      for (const field of fields) {
        const words =
          at(texts, "fields", provider, operation, field) ?? at(texts, "fields", provider, "any", field);
        want(words, `${provider}.${operation}.${field}`);
      }
    }
  }
  expect(missing).toEqual([]);
});
