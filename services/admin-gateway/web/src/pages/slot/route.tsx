import { Page } from "@/components/page";

/** Placeholder. */
export function Component() {
  return <Page title="Slot">{null}</Page>;
}
