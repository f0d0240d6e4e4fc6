import {
  IconAdjustmentsHorizontal,
  IconChartHistogram,
  IconLayoutGrid,
  IconListDetails,
  IconPhoto,
  IconStack2,
} from "@tabler/icons-react";

/**
 * The pages of the main menu, in its order; `name` is their text under `nav.`, `also` are the addresses of pages that
 * lie behind theirs.
 */
export const PAGES = [
  { to: "/", name: "slots", icon: IconLayoutGrid, also: ["/slots"] },
  { to: "/jobs", name: "jobs", icon: IconListDetails, also: [] },
  { to: "/queues", name: "queues", icon: IconStack2, also: [] },
  { to: "/statistics", name: "statistics", icon: IconChartHistogram, also: [] },
  { to: "/gallery", name: "gallery", icon: IconPhoto, also: [] },
  { to: "/settings", name: "settings", icon: IconAdjustmentsHorizontal, also: ["/webhooks"] },
] as const;

/** The address in the menu of the page that `pathname` belongs to; null where it is none of them. */
export function menuAddressOf(pathname: string): (typeof PAGES)[number]["to"] | null {
  const within = (address: string) => pathname === address || pathname.startsWith(`${address}/`);
  return PAGES.find(({ to, also }) => within(to) || also.some(within))?.to ?? null;
}
