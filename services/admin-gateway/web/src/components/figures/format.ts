/** Figures in words: durations, sizes, rates and counts, as the reader's language writes them. */

import { exactTime, localeOf } from "../time-ago";

const SECOND = 1000;

/** What stands where there is no figure. */
export const NO_FIGURE = "–";

function unit(locale: string, value: number, name: string, digits = 0): string {
  return new Intl.NumberFormat(locale, {
    style: "unit",
    unit: name,
    unitDisplay: "short",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** A length of time in ms: `640 ms`, `4.2 sec`, `48 sec`, `2 min 5 sec`, `1 hr`. */
export function formatDuration(milliseconds: number | null | undefined, locale: string): string {
  if (milliseconds === null || milliseconds === undefined || !Number.isFinite(milliseconds)) return NO_FIGURE;
  const length = Math.max(0, milliseconds);
  if (Math.round(length) < SECOND) return unit(locale, Math.round(length), "millisecond");
  // 9.96 s is "10", not "10.0": the rounded value decides how many digits it has.
  if (Math.round(length / 100) < 100) return unit(locale, length / SECOND, "second", 1);
  const seconds = Math.round(length / SECOND);
  if (seconds < 60) return unit(locale, seconds, "second");
  if (seconds % 3600 === 0) return unit(locale, seconds / 3600, "hour");
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  return rest === 0
    ? unit(locale, minutes, "minute")
    : `${unit(locale, minutes, "minute")} ${unit(locale, rest, "second")}`;
}

/** A size in bytes: `812 kB`, `3.4 MB`. Decimal units, as cameras and disks are sold. */
export function formatBytes(bytes: number | null | undefined, locale: string): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return NO_FIGURE;
  if (bytes < 1000) return unit(locale, bytes, "byte");
  if (bytes < 999_500) return unit(locale, bytes / 1000, "kilobyte");
  if (bytes < 999_500_000) return unit(locale, bytes / 1_000_000, "megabyte", bytes < 99_950_000 ? 1 : 0);
  return unit(locale, bytes / 1_000_000_000, "gigabyte", 1);
}

/** A size the API gives in megabytes, of 1,048,576 bytes. */
export function formatMegabytes(megabytes: number | null | undefined, locale: string): string {
  return formatBytes(
    megabytes === null || megabytes === undefined ? megabytes : megabytes * 1_048_576,
    locale,
  );
}

/**
 * A rate between 0 and 1 as a percentage with one digit.
 *
 * `towards` says which way it is rounded: a success rate down and an error rate up, so that a goal that is just missed
 * never reads as if it were met.
 */
export function formatRate(
  rate: number | null | undefined,
  locale: string,
  towards: "down" | "up" = "down",
): string {
  if (rate === null || rate === undefined || !Number.isFinite(rate)) return NO_FIGURE;
  // 0.95 * 1000 is 949.9999…; what lies within a billionth of a step is on it.
  const steps = rate * 1000;
  const nearest = Math.round(steps);
  const onStep = Math.abs(steps - nearest) < 1e-6;
  const rounded = onStep ? nearest : towards === "down" ? Math.floor(steps) : Math.ceil(steps);
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(rounded / 1000);
}

/** A whole number with the language's separators. */
export function formatCount(count: number | null | undefined, locale: string): string {
  return count === null || count === undefined ? NO_FIGURE : new Intl.NumberFormat(locale).format(count);
}

/** An instant in full, for titles and details: date and time to the second, in the reader's time zone. */
export function formatInstant(instant: string | null | undefined, locale: string): string {
  if (!instant) return NO_FIGURE;
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return NO_FIGURE;
  return exactTime(date, locale);
}

/** The time of day of an instant, with the day before it where the window is longer than one. */
export function formatClock(instant: string, locale: string, withDay: boolean): string {
  return new Intl.DateTimeFormat(localeOf(locale), {
    ...(withDay ? { weekday: "short" } : {}),
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(instant));
}
