import { expect, it } from "vitest";
import { menuAddressOf } from "./navigation";

it.each([
  ["/", "/"],
  ["/slots/slot-009", "/"],
  ["/jobs", "/jobs"],
  ["/jobs/0123abcd", "/jobs"],
  ["/settings", "/settings"],
  ["/settings/audit", "/settings"],
  ["/settings/api-keys", "/settings"],
  ["/webhooks", "/settings"],
  ["/jobsearch", null],
  ["/no/such/page", null],
])("the page at %s is in the menu under %s", (pathname, address) => {
  expect(menuAddressOf(pathname)).toBe(address);
});
