import { expect, it } from "vitest";
import { localeOf, relativeTime } from "./time-ago";

const NOW = Date.parse("2026-05-10T12:00:00Z");
const ago = (seconds: number, language = "en") => relativeTime(new Date(NOW - seconds * 1000), NOW, language);

it("tells how long ago something was in its largest whole unit", () => {
  expect(ago(3)).toBe("now");
  expect(ago(45)).toBe("45 seconds ago");
  expect(ago(119)).toBe("1 minute ago");
  expect(ago(7300)).toBe("2 hours ago");
  expect(ago(26 * 3600)).toBe("yesterday");
  expect(ago(-90)).toBe("in 1 minute");
  expect(ago(125, "ru")).toBe("2 минуты назад");
});

it("names the day of what lies more than a week back", () => {
  expect(ago(8 * 86_400)).toMatch(/2026/);
});

it("takes what just happened for now, though the server's clock is ahead", () => {
  expect(ago(-4)).toBe("now");
});

it("writes dates as the browser's region does", () => {
  expect(localeOf("en", ["ru-RU", "en-GB"])).toBe("en-GB");
  expect(localeOf("ru", ["en-US"])).toBe("ru");
});
