import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatInstant,
  formatMegabytes,
  formatRate,
  NO_FIGURE,
} from "./format";

/** Intl puts no-break spaces between a figure and its unit. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

describe("formatDuration", () => {
  it.each([
    [0, "0 ms"],
    [640, "640 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 sec"],
    [4230, "4.2 sec"],
    [9960, "10 sec"],
    [48_400, "48 sec"],
    [59_700, "1 min"],
    [125_000, "2 min 5 sec"],
    [3_600_000, "1 hr"],
  ])("writes %d ms as %s", (milliseconds, text) => {
    expect(plain(formatDuration(milliseconds, "en"))).toBe(text);
  });

  it("speaks Russian", () => {
    expect(plain(formatDuration(4230, "ru"))).toBe("4,2 с");
    expect(plain(formatDuration(125_000, "ru"))).toBe("2 мин 5 с");
  });

  it("has a dash for what was not measured, and no negative lengths", () => {
    expect(formatDuration(null, "en")).toBe(NO_FIGURE);
    expect(formatDuration(Number.NaN, "en")).toBe(NO_FIGURE);
    expect(plain(formatDuration(-3, "en"))).toBe("0 ms");
  });
});

describe("formatBytes", () => {
  it.each([
    [512, "512 byte"],
    [812_400, "812 kB"],
    [999_600, "1.0 MB"],
    [3_440_000, "3.4 MB"],
    [250_000_000, "250 MB"],
    [1_200_000_000, "1.2 GB"],
  ])("writes %d as %s", (bytes, text) => {
    expect(plain(formatBytes(bytes, "en"))).toBe(text);
  });

  it("takes megabytes too", () => {
    expect(plain(formatMegabytes(10, "ru"))).toBe("10,5 МБ");
    expect(formatMegabytes(null, "ru")).toBe(NO_FIGURE);
  });
});

describe("formatRate", () => {
  it("never rounds a missed goal to a met one", () => {
    expect(formatRate(0.94999, "en", "down")).toBe("94.9%");
    expect(formatRate(0.05001, "en", "up")).toBe("5.1%");
  });

  it("keeps what is exact, whichever way it rounds", () => {
    for (const towards of ["down", "up"] as const) {
      expect(formatRate(0.95, "en", towards)).toBe("95%");
      expect(formatRate(0.05, "en", towards)).toBe("5%");
      expect(formatRate(0.333, "en", towards)).toBe("33.3%");
    }
  });

  it("has a dash where nothing was counted", () => {
    expect(formatRate(null, "en")).toBe(NO_FIGURE);
  });
});

describe("counts and instants", () => {
  it("are written in the reader's language", () => {
    expect(plain(formatCount(12_345, "ru"))).toBe("12 345");
    expect(formatCount(null, "ru")).toBe(NO_FIGURE);
    expect(formatInstant("not a date", "en")).toBe(NO_FIGURE);
    expect(formatInstant("2026-03-01T10:00:00.000Z", "en")).toContain("2026");
  });
});
