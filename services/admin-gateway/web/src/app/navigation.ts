import {
  IconAdjustmentsHorizontal,
  IconChartHistogram,
  IconLayoutGrid,
  IconListDetails,
  IconPhoto,
  IconStack2,
} from "@tabler/icons-react";

/** The pages of the main menu, in its order; `name` is their text under `nav.`. */
export const PAGES = [
  { to: "/", name: "slots", icon: IconLayoutGrid },
  { to: "/jobs", name: "jobs", icon: IconListDetails },
  { to: "/queues", name: "queues", icon: IconStack2 },
  { to: "/statistics", name: "statistics", icon: IconChartHistogram },
  { to: "/gallery", name: "gallery", icon: IconPhoto },
  { to: "/settings", name: "settings", icon: IconAdjustmentsHorizontal },
] as const;
