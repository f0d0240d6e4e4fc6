import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import areas from "./areas.json";
import type * as english from "./en";
import { LANGUAGES, type Language, preferredLanguage, rememberLanguage } from "./languages";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof english;
  }
}

/** One chunk an area of a language: nobody loads what they do not get to read. */
const TEXTS = import.meta.glob<Record<string, object>>(["./*/*.ts", "!./*/index.ts"]);

/** A folder of `src/pages`. */
export type PageName = keyof typeof areas.pages;

/** The areas asked for so far, in whatever language comes. */
const wanted = new Set(areas.everywhere);

/** Sets the texts up in the reader's language; call before the first render. */
export async function startTexts(): Promise<void> {
  await i18next.use(initReactI18next).init({
    resources: {},
    supportedLngs: LANGUAGES,
    fallbackLng: false,
    defaultNS: "common",
    interpolation: { escapeValue: false }, // React escapes.
    returnNull: false,
  });
  await speak(preferredLanguage());
}

/** Loads what a page says; the router does so beside the page's code. */
export function loadTextsOf(page: PageName): Promise<void> {
  return inTurn(async () => {
    for (const area of areas.pages[page]) wanted.add(area);
    await loadWanted(i18next.language);
  });
}

/** Changes the language, for now and the next visit. */
export async function switchLanguage(language: Language): Promise<void> {
  rememberLanguage(language);
  await speak(language);
}

function speak(language: Language): Promise<void> {
  return inTurn(async () => {
    await loadWanted(language);
    await i18next.changeLanguage(language);
    document.documentElement.lang = language;
  });
}

let last: Promise<void> = Promise.resolve();

/** One after the other: a page that comes while the language changes speaks the new one. */
function inTurn(work: () => Promise<void>): Promise<void> {
  last = last.then(work, work);
  return last;
}

async function loadWanted(language: string): Promise<void> {
  const missing = [...wanted].filter((area) => !i18next.hasResourceBundle(language, area));
  await Promise.all(
    missing.map(async (area) => {
      const chunk = await TEXTS[`./${language}/${area}.ts`]?.();
      if (!chunk?.[area]) throw new Error(`There are no texts "${area}" in "${language}".`);
      i18next.addResourceBundle(language, area, chunk[area]);
    }),
  );
}
