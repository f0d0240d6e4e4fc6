import { describe, expect, it } from "vitest";
import { stageOf, startOf } from "./progress";

describe("the progress of a job", () => {
  it("is told in words of ours where there are any, else in the worker's", () => {
    expect(stageOf("asking the provider")).toEqual({ key: "asking" });
    expect(stageOf("page 3 of 12")).toEqual({ text: "page 3 of 12" });
    expect(stageOf("toString")).toEqual({ text: "toString" });
    expect(stageOf("")).toBeNull();
  });

  it("begins soon rather than in the past", () => {
    const at = "2026-05-10T12:00:00.000Z";
    expect(startOf({ expected_start: at }, Date.parse(at) - 1)).toBe(at);
    expect(startOf({ expected_start: at }, Date.parse(at))).toBe("soon");
    expect(startOf({ expected_start: null }, Date.parse(at))).toBeNull();
  });
});
