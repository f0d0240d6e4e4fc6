// Fails when what a first visit loads (entry, then login or slots, one language) is over the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 300;
const OUT = new URL("../../src/photochanger_gateway/web/", import.meta.url);
const FIRST_PAGES = ["src/pages/login/route.tsx", "src/pages/slots/route.tsx"];
const LANGUAGES = ["src/i18n/en/index.ts", "src/i18n/ru/index.ts"];

const manifest = JSON.parse(readFileSync(new URL("manifest.json", OUT), "utf8"));

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
    const size = kilobytes(new Set(["index.html", page, language].flatMap((name) => [...filesOf(name)])));
    over ||= size > BUDGET_KB;
    console.log(`${page} + ${language}: ${size.toFixed(1)} KB gzip of JS and CSS (at most ${BUDGET_KB})`);
  }
}
process.exit(over ? 1 : 0);
