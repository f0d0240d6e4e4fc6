import { expect, it } from "vitest";
import { loginAddress, returnAddress } from "./addresses";

it("leads back to where one was", () => {
  const address = loginAddress("/jobs?status=failed");
  expect(returnAddress(new URL(address, "http://booth.test").searchParams)).toBe("/jobs?status=failed");
  expect(loginAddress("/")).toBe("/login");
});

it.each([
  "https://evil.test",
  "//evil.test",
  "/\\evil.test",
  "javascript:alert(1)",
  "/login?return=/login",
  "",
])("does not lead to %s", (wanted) => {
  expect(returnAddress(new URLSearchParams({ return: wanted }))).toBe("/");
});
