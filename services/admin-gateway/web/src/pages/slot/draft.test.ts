import { describe, expect, it } from "vitest";
import {
  bothChanged,
  changedValues,
  changesBetween,
  changesOf,
  type Draft,
  draftOf,
  onTopOf,
  type SlotValues,
  withOperation,
} from "./draft";

const picture = (id: string, role = "style") => ({ media_object_id: id, role, preview_url: `/p/${id}` });

function values(given: Partial<SlotValues> = {}): SlotValues {
  return {
    display_name: "Portraits",
    is_active: true,
    provider: "gemini",
    operation: "image_edit",
    settings: { prompt: "draw", seed: 0 },
    template_media: [],
    size_limit_mb: 15,
    sync_response_seconds: null,
    running_limit: null,
    queue_length: null,
    dedupe: null,
    on_failure: "error",
    late_results: "discard",
    output_format: "as_is",
    response_mode: "image",
    ...given,
  };
}
const draft = (given: Partial<Draft> = {}): Draft => ({ ...draftOf(values()), ...given });
const paths = (changes: readonly { path: string }[]) => changes.map(({ path }) => path);

describe("changes", () => {
  it("are none where nothing differs, in whatever order settings come", () => {
    expect(changesOf(values(), draft({ settings: { seed: 0, prompt: "draw" } }))).toEqual([]);
  });

  it("name settings one by one, and templates by their number", () => {
    const changed = draft({ settings: { prompt: "paint", seed: 0 }, template_media: [picture("a")] });
    expect(changesOf(values(), changed)).toEqual([
      { path: "settings.prompt", before: "draw", after: "paint" },
      { path: "template_media", before: 0, after: 1 },
    ]);
  });

  it("do not compare settings of different operations", () => {
    const changed = draft({ provider: "local", operation: "comic", settings: { strength: 1 } });
    expect(paths(changesOf(values(), changed))).toEqual(["provider", "operation"]);
  });

  it("never show the password", () => {
    expect(changesOf(values(), draft({ ingest_password: "secret-word" }))).toEqual([
      { path: "ingest_password", before: undefined, after: undefined },
    ]);
  });

  it("see another order of templates, and another role", () => {
    const one = values({ template_media: [picture("a"), picture("b")] });
    expect(paths(changesBetween(one, values({ template_media: [picture("b"), picture("a")] })))).toEqual([
      "template_media",
    ]);
    expect(
      paths(changesBetween(one, values({ template_media: [picture("a"), picture("b", "person")] }))),
    ).toEqual(["template_media"]);
  });
});

describe("what is sent", () => {
  it("is what changed, and nothing else", () => {
    expect(changedValues(values(), draft())).toEqual({});
    expect(changedValues(values(), draft({ size_limit_mb: 10, dedupe: "off" }))).toEqual({
      size_limit_mb: 10,
      dedupe: "off",
    });
  });

  it("holds the settings as a whole, and an emptied password", () => {
    const changed = draft({ settings: { prompt: "paint", seed: 0 }, ingest_password: "" });
    expect(changedValues(values(), changed)).toEqual({
      settings: { prompt: "paint", seed: 0 },
      ingest_password: "",
    });
  });
});

describe("mine on top of theirs", () => {
  it("keeps what only they changed", () => {
    const theirs = values({ display_name: "Theirs", size_limit_mb: 5 });
    const merged = onTopOf(theirs, values(), draft({ size_limit_mb: 10 }));
    expect(merged).toMatchObject({ display_name: "Theirs", size_limit_mb: 10 });
  });

  it("merges settings one by one while the operation is the same", () => {
    const theirs = values({ settings: { prompt: "theirs", seed: 7 } });
    const mine = draft({ settings: { prompt: "mine", seed: 0 } });
    expect(onTopOf(theirs, values(), mine).settings).toEqual({ prompt: "mine", seed: 7 });
  });

  it("takes a setting away that I took away", () => {
    const theirs = values({ settings: { prompt: "theirs", seed: 0 } });
    expect(onTopOf(theirs, values(), draft({ settings: { prompt: "draw" } })).settings).toEqual({
      prompt: "theirs",
    });
  });

  it("does not mix settings of two operations", () => {
    const theirs = values({ operation: "style_transfer", settings: { prompt: "theirs" } });
    const mine = draft({ settings: { prompt: "mine", seed: 1 } });
    expect(onTopOf(theirs, values(), mine)).toMatchObject({
      operation: "image_edit",
      settings: { prompt: "mine", seed: 1 },
    });
    expect(onTopOf(theirs, values(), draft({ display_name: "Mine" }))).toMatchObject({
      display_name: "Mine",
      operation: "style_transfer",
      settings: { prompt: "theirs" },
    });
  });

  it("keeps my password, and their templates unless I changed them", () => {
    const theirs = values({ template_media: [picture("theirs")] });
    const mine = draft({ settings: { prompt: "mine", seed: 0 }, ingest_password: "secret-word" });
    expect(onTopOf(theirs, values(), mine)).toMatchObject({
      template_media: [picture("theirs")],
      ingest_password: "secret-word",
    });
    expect(onTopOf(theirs, values(), draft({ template_media: [picture("mine")] })).template_media).toEqual([
      picture("mine"),
    ]);
  });

  it("points out what both changed, but not where both chose the same", () => {
    const theirs = values({ display_name: "Same", size_limit_mb: 5, queue_length: 3 });
    const mine = values({ display_name: "Same", size_limit_mb: 10 });
    expect([...bothChanged(values(), mine, theirs)]).toEqual(["size_limit_mb"]);
  });
});

it("another operation keeps the prompt and as many templates as its roles take", () => {
  const before = draft({ template_media: [picture("a"), picture("b"), picture("c", "other")] });
  const after = withOperation(before, "turbotext", {
    id: "style_transfer",
    settings_schema: {
      type: "object",
      properties: { prompt: { type: "string" }, pause: { type: "number", default: 2.5 } },
    },
    needs: [{ role: "style", max_count: 1 }],
  });
  expect(after).toMatchObject({
    provider: "turbotext",
    operation: "style_transfer",
    settings: { prompt: "draw", pause: 2.5 },
    template_media: [picture("a")],
  });
});
