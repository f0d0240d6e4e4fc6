import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "3 minutes ago", kept up to date, with the exact time as its title; `never` when there is none. */
export function TimeAgo({ at }: { at: string | null | undefined }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  if (!at) return <span>{t("never")}</span>;
  const date = new Date(at);
  return (
    <time dateTime={at} title={exactTime(date, i18n.language)}>
      {relativeTime(date, now, i18n.language)}
    </time>
  );
}

/** A date and time for people, to the second; empty when there is none. */
export function exactTime(at: Date | string | null | undefined, language: string): string {
  if (!at) return "";
  const date = new Date(at);
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: "medium", timeStyle: "medium" }).format(
    date,
  );
}

/** The browser's kind of a language, where it has one: dates differ between en-GB and en-US. */
export function localeOf(language: string, wanted: readonly string[] = navigator.languages): string {
  return wanted.find((tag) => tag.split("-")[0] === language) ?? language;
}

/** How long ago (or until), in the largest fitting unit; days beyond a week become a date. */
export function relativeTime(date: Date, now: number, language: string): string {
  const seconds = Math.round((date.getTime() - now) / 1000);
  const size = Math.abs(seconds);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  // Clocks differ: what just happened may seem to lie a little ahead.
  if (size < 10) return format.format(0, "second");
  if (size < MINUTE) return format.format(seconds, "second");
  if (size < HOUR) return format.format(Math.trunc(seconds / MINUTE), "minute");
  if (size < DAY) return format.format(Math.trunc(seconds / HOUR), "hour");
  if (size < 7 * DAY) return format.format(Math.trunc(seconds / DAY), "day");
  return new Intl.DateTimeFormat(localeOf(language), { dateStyle: "medium" }).format(date);
}

const STEP_MS = 10_000;
const listeners = new Set<() => void>();
let ticking: ReturnType<typeof setInterval> | undefined;
let current = Date.now();

/** The time, refreshed every ten seconds by one timer for the whole page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => current);
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) current = Date.now();
  listeners.add(listener);
  ticking ??= setInterval(() => {
    current = Date.now();
    for (const each of listeners) each();
  }, STEP_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(ticking);
    ticking = undefined;
  };
}
