// Fails when what a first visit loads (entry, then login or slots, with their texts) is over the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 300;
const OUT = new URL("../../src/photochanger_gateway/web/", import.meta.url);
const FIRST_PAGES = ["login", "slots"];
const LANGUAGES = ["en", "ru"];

const read = (url) => JSON.parse(readFileSync(url, "utf8"));
const manifest = read(new URL("manifest.json", OUT));
const areas = read(new URL("../src/i18n/areas.json", import.meta.url));

function filesOf(name, seen = new Set()) {
  const chunk = manifest[name];
  if (!chunk) throw new Error(`${name} is not in the build: name it in scripts/size.mjs as the router does.`);
  if (seen.has(name)) return new Set();
  seen.add(name);
  return new Set([
    chunk.file,
    ...(chunk.css ?? []),
    ...(chunk.imports ?? []).flatMap((imported) => [...filesOf(imported, seen)]),
  ]);
}

const kilobytes = (files) =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(new URL(file, OUT))).length, 0) / 1000;

let over = false;
for (const page of FIRST_PAGES) {
  for (const language of LANGUAGES) {
    const texts = [...areas.everywhere, ...areas.pages[page]].map(
      (area) => `src/i18n/${language}/${area}.ts`,
    );
    const loaded = ["index.html", `src/pages/${page}/route.tsx`, ...texts];
    const size = kilobytes(new Set(loaded.flatMap((name) => [...filesOf(name)])));
    over ||= size > BUDGET_KB;
    console.log(`${page} + ${language}: ${size.toFixed(1)} KB gzip of JS and CSS (at most ${BUDGET_KB})`);
  }
}
process.exit(over ? 1 : 0);
