/** The order of the table of slots. */

/** What a row has to have. */
export interface SlotFigures {
  readonly slot_id: string;
  readonly display_name: string;
  readonly jobs_last_window: number;
  readonly success_rate: number | null;
  readonly timeout_rate: number | null;
  readonly provider_errors_last_window: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly last_success_at: string | null;
}

/** The columns a reader may sort by. */
export const SORT_COLUMNS = [
  "slot_id",
  "jobs_last_window",
  "success_rate",
  "timeout_rate",
  "provider_errors_last_window",
  "p50_ms",
  "p95_ms",
  "last_success_at",
] as const satisfies readonly (keyof SlotFigures)[];
export type SortColumn = (typeof SORT_COLUMNS)[number];

export interface Sorting {
  readonly column: SortColumn;
  readonly descending: boolean;
}

/** As it is at first: by slot, as everywhere else. */
export const BY_SLOT: Sorting = { column: "slot_id", descending: false };

/** The sorting after a click on a column's head: the same column turns round, another begins with its largest. */
export function nextSorting(current: Sorting, column: SortColumn): Sorting {
  if (current.column === column) return { column, descending: !current.descending };
  return { column, descending: column !== "slot_id" };
}

/** Rows in order; what has no figure stands last, whichever way it is sorted. */
export function sortSlots<T extends SlotFigures>(rows: readonly T[], sorting: Sorting): readonly T[] {
  const sign = sorting.descending ? -1 : 1;
  return [...rows].sort((one, other) => {
    const a = one[sorting.column];
    const b = other[sorting.column];
    if (a === b) return one.slot_id < other.slot_id ? -1 : 1;
    if (a === null) return 1;
    if (b === null) return -1;
    return a < b ? -sign : sign;
  });
}
