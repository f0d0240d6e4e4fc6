import { expect, it } from "vitest";
import { hasBrokenPlaceholder, inserted, isPlaceholderName, placeholdersIn } from "./placeholders";

it("finds each placeholder once, with its default", () => {
  expect(placeholdersIn("For {{ name |the guest }}, {{event}} and {{name}}. {{}} {{|x}} {one}")).toEqual([
    { name: "name", default: "the guest" },
    { name: "event", default: "" },
  ]);
});

it.each([
  ["{{name}} and {{event|party}}", false],
  ["no braces, {one}", false],
  ["{{name}", true],
  ["name}}", true],
  ["{{a|b|c{{d}}", true],
  [`{{${"x".repeat(65)}}}`, true],
])("tells braces that would be sent as they are: %s", (prompt, broken) => {
  expect(hasBrokenPlaceholder(prompt)).toBe(broken);
});

it("takes names that the service takes", () => {
  expect(isPlaceholderName("first name")).toBe(true);
  for (const name of ["", "  ", "a|b", "a}", "x".repeat(65)]) expect(isPlaceholderName(name)).toBe(false);
});

it("inserts in place of the selection and tells where the caret goes", () => {
  expect(inserted("Draw him nicely", "name", { start: 5, end: 8 })).toEqual({
    text: "Draw {{name}} nicely",
    caret: 13,
  });
  expect(inserted("", "name", { start: 0, end: 0 })).toEqual({ text: "{{name}}", caret: 8 });
});
