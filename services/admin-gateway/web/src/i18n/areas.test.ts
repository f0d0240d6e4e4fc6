import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import areas from "./areas.json";

/** Tests run in the folder of package.json. */
const SOURCE = "src";
const PAGES = readdirSync(join(SOURCE, "pages"));
/** Imports of code, those that are made later too; types and styles say nothing. */
const IMPORTS = /(?:^|\n)(?:import|export) (?!type )[^;]*?from "([^"]+)"|\bimport\("([^"]+)"\)/g;
const TRANSLATIONS = /useTranslation\(([^)]*)\)/g;
const NAMESPACES = /\bns: ("[^"]+")/g;

/** The module an import names, if it is one of ours. */
function moduleOf(wanted: string, importer: string): string | null {
  if (!wanted.startsWith("@/") && !wanted.startsWith(".")) return null;
  const path = wanted.startsWith("@/") ? join(SOURCE, wanted.slice(2)) : join(dirname(importer), wanted);
  return [`${path}.ts`, `${path}.tsx`, join(path, "index.ts")].find(existsSync) ?? null;
}

/** The areas that a module and all it imports read from; pages are left to the router. */
function areasRead(module: string, seen = new Set<string>()): Set<string> {
  if (seen.has(module)) return new Set();
  seen.add(module);
  const code = readFileSync(module, "utf8");
  const named = [...code.matchAll(TRANSLATIONS), ...code.matchAll(NAMESPACES)].flatMap(([, names]) =>
    [...(names ?? "").matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? ""),
  );
  const imported = [...code.matchAll(IMPORTS)].flatMap(([, now, later]) => {
    const found = moduleOf(now ?? later ?? "", module);
    return found && !/^src\/pages\/[^/]+\/route\.tsx$/.test(found) ? [...areasRead(found, seen)] : [];
  });
  return new Set([...named, ...imported]);
}

const without = (some: Iterable<string>, others: Iterable<string>) => {
  const left = new Set(others);
  return [...some].filter((each) => !left.has(each)).toSorted();
};

describe("areas of texts", () => {
  it("of each page are those that it and its parts read, and none to spare", () => {
    const read = PAGES.map((page) => [
      page,
      without(areasRead(join(SOURCE, "pages", page, "route.tsx")), areas.everywhere),
    ]);
    const declared = Object.entries(areas.pages).map(([page, names]) => [page, names.toSorted()]);
    expect(Object.fromEntries(declared)).toEqual(Object.fromEntries(read));
  });

  it("loaded before any page are enough for what surrounds them", () => {
    expect(without(areasRead(join(SOURCE, "main.tsx")), areas.everywhere)).toEqual([]);
  });

  it("are there in both languages", () => {
    const all = new Set([...areas.everywhere, ...Object.values(areas.pages).flat()]);
    for (const language of ["en", "ru"]) {
      const files = readdirSync(join(SOURCE, "i18n", language)).map((name) => name.replace(/\.ts$/, ""));
      expect(without(files, ["index"])).toEqual([...all].toSorted());
    }
  });
});
