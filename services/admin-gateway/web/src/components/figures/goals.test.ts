import { expect, it } from "vitest";
import { judgeSuccess, judgeTimeouts } from "./goals";

it("counts a rate that is exactly the goal as met", () => {
  expect(judgeSuccess(0.95)).toBe("met");
  expect(judgeTimeouts(0.05)).toBe("met");
});

it("counts a rate just past the goal as missed", () => {
  expect(judgeSuccess(0.9499)).toBe("missed");
  expect(judgeTimeouts(0.0501)).toBe("missed");
});

it("says nothing about what was not measured", () => {
  expect(judgeSuccess(null)).toBe("unknown");
  expect(judgeTimeouts(undefined)).toBe("unknown");
});
