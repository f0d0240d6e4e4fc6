// @vitest-environment jsdom
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { Compare } from "./compare";

it("is a named range over both pictures, which tells its share", async () => {
  render(
    <Compare before={{ src: "/a", label: "Before" }} after={{ src: "/b", label: "After" }} label="Compare" />,
  );
  expect(screen.getByRole("img", { name: "Before" })).toBeDefined();
  expect(screen.getByRole("img", { name: "After" })).toBeDefined();
  const range = screen.getByRole("slider", { name: "Compare" });
  expect(range.getAttribute("aria-valuetext")).toBe("50 %");
  await userEvent.tab();
  expect(document.activeElement).toBe(range);
});
