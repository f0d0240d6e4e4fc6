import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type * as english from "./en";
import { LANGUAGES, type Language, preferredLanguage, rememberLanguage } from "./languages";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "common";
    resources: typeof english;
  }
}

/** One chunk a language: nobody loads both. */
const TEXTS = { en: () => import("./en"), ru: () => import("./ru") } satisfies Record<
  Language,
  () => Promise<object>
>;

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

/** Changes the language, for now and the next visit. */
export async function switchLanguage(language: Language): Promise<void> {
  rememberLanguage(language);
  await speak(language);
}

async function speak(language: Language): Promise<void> {
  const areas = await TEXTS[language]();
  for (const [area, texts] of Object.entries(areas)) i18next.addResourceBundle(language, area, texts);
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
