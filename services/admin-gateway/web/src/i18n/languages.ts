export const LANGUAGES = ["en", "ru"] as const;
export type Language = (typeof LANGUAGES)[number];

export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", ru: "Русский" };

const STORED = "photochanger.language";

/** The language chosen before, else the first of the browser's that there is. */
export function preferredLanguage(wanted: readonly string[] = navigator.languages): Language {
  const candidates = [localStorage.getItem(STORED) ?? "", ...wanted];
  return (
    candidates.map((tag) => known(tag.split("-")[0] ?? "")).find((language) => language !== null) ?? "en"
  );
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
}

function known(tag: string): Language | null {
  return LANGUAGES.find((language) => language === tag.toLowerCase()) ?? null;
}
