/** The stretches of time statistics are shown for. */

/** Lengths in minutes; the API takes 5 to 4320. */
export const WINDOWS = [15, 60, 360, 1440, 4320] as const;
export type WindowMinutes = (typeof WINDOWS)[number];

export const DEFAULT_WINDOW: WindowMinutes = 60;

/** The window an address names; the default where it names none of ours. */
export function windowOf(search: URLSearchParams): WindowMinutes {
  const wanted = search.get("window");
  return WINDOWS.find((minutes) => String(minutes) === wanted) ?? DEFAULT_WINDOW;
}
