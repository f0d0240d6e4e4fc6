import { describe, expect, it } from "vitest";
import { roleProblems, valueProblems } from "./checks";
import { draftOf } from "./draft";
import { sortedErrors } from "./server-errors";
import { stagePieces } from "./stages";
import { changeOf, knownSettings, type OperationRules, testPayload } from "./values";

const operation: OperationRules = {
  id: "style_transfer",
  title: "Style",
  settings_schema: { type: "object", properties: { prompt: { type: "string" } } },
  needs: [
    { role: "style", title: "Style", required: true, max_count: 1 },
    { role: "extra", title: "Extra", required: false, max_count: 0 },
  ],
  uses_prompt: true,
};
const base = {
  display_name: "Portraits",
  is_active: true,
  provider: "gemini",
  operation: "style_transfer",
  settings: { prompt: "draw", retired: 1 },
  template_media: [{ media_object_id: "a", role: "style", preview_url: "/p" }],
  size_limit_mb: 15,
  sync_response_seconds: null,
  running_limit: null,
  queue_length: null,
  dedupe: null,
  on_failure: "error",
  late_results: "discard",
  output_format: "as_is",
  response_mode: "image",
} as const;
const draft = draftOf({ ...base, template_media: [...base.template_media] });

describe("values", () => {
  it("that follow the platform need no number", () => {
    expect(valueProblems(draft)).toEqual({});
  });

  it.each([
    [{ display_name: " " }, "display_name"],
    [{ display_name: "x".repeat(81) }, "display_name"],
    [{ size_limit_mb: 21 }, "size_limit_mb"],
    [{ size_limit_mb: 1.5 }, "size_limit_mb"],
    [{ sync_response_seconds: 9 }, "sync_response_seconds"],
    [{ running_limit: 0 }, "running_limit"],
    [{ queue_length: 101 }, "queue_length"],
    [{ ingest_password: "1234567" }, "ingest_password"],
  ])("out of their bounds are found: %o", (values, name) => {
    expect(Object.keys(valueProblems({ ...draft, ...values }))).toEqual([name]);
  });

  it("at their bounds are fine", () => {
    const atBounds = {
      display_name: "😀".repeat(80),
      size_limit_mb: 20,
      queue_length: 0,
      ingest_password: "12345678",
    };
    expect(valueProblems({ ...draft, ...atBounds })).toEqual({});
    expect(valueProblems({ ...draft, ingest_password: "" })).toEqual({});
  });
});

it("finds roles with too few and too many pictures", () => {
  const [style] = base.template_media;
  expect(roleProblems(draft, operation)).toEqual({});
  expect(roleProblems({ ...draft, template_media: [] }, operation)).toEqual({ style: "missing" });
  expect(roleProblems({ ...draft, template_media: [style, style] }, operation)).toEqual({ style: "tooMany" });
  expect(roleProblems({ ...draft, template_media: [] }, null)).toEqual({});
});

it("sends no setting the operation does not know, and templates without what only shows them", () => {
  expect(knownSettings(draft.settings, operation)).toEqual({ prompt: "draw" });
  const changed = { ...draft, settings: { prompt: "paint", retired: 1 }, template_media: [] };
  expect(changeOf({ ...base, template_media: [...base.template_media] }, changed, operation)).toEqual({
    settings: { prompt: "paint" },
    template_media: [],
  });
});

it("tries every value it can in a test run", () => {
  expect(JSON.parse(testPayload(draft, operation, { name: "Ann" }))).toEqual({
    provider: "gemini",
    operation: "style_transfer",
    settings: { prompt: "draw" },
    template_media: [{ media_object_id: "a", role: "style" }],
    output_format: "as_is",
    form_fields: { name: "Ann" },
  });
});

it("sorts the server's errors to where they are shown, the first of each", () => {
  expect(
    sortedErrors(
      [
        { field: "settings.prompt", message: "is required" },
        { field: "settings.prompt", message: "and more" },
        { field: "settings['odd name']", message: "is no setting here" },
        { field: "settings.tags[0]", message: "too long" },
        { field: "template_media.0", message: "gone" },
        { field: "template_roles", message: "required" },
        { field: "size_limit_mb", message: "1 to 20" },
        { field: "settings", message: "too large" },
      ],
      ({ message }, path) => `${path}: ${message}`,
    ),
  ).toEqual({
    settings: {
      prompt: "settings.prompt: is required",
      "odd name": "settings.odd name: is no setting here",
      tags: "settings.tags: too long",
    },
    templates: ["template_media: gone", "template_media: required"],
    values: { size_limit_mb: "size_limit_mb: 1 to 20", settings: "settings: too large" },
  });
});

it("fills the bar of stages, whatever the clocks say", () => {
  const stages = [
    { stage: "provider", milliseconds: 600 },
    { stage: "store", milliseconds: 200 },
  ];
  const shares = (total: number) => stagePieces(stages, total).map(({ stage, percent }) => [stage, percent]);
  expect(shares(1000)).toEqual([
    ["provider", 60],
    ["store", 20],
    ["other", 20],
  ]);
  expect(shares(700)).toEqual([
    ["provider", 75],
    ["store", 25],
  ]);
  expect(stagePieces([], 0)).toEqual([]);
});

it("takes all that happens before a photo is a job for receiving it", () => {
  const stages = ["admit", "receive", "open", "provider"].map((stage) => ({ stage, milliseconds: 10 }));
  expect(stagePieces(stages, 40).map(({ stage, milliseconds }) => [stage, milliseconds])).toEqual([
    ["upload", 30],
    ["provider", 10],
  ]);
});
