import { Page } from "@/components/page";

/** Placeholder. */
export function Component() {
  return <Page title="Gallery">{null}</Page>;
}
