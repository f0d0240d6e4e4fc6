import { describe, expect, it } from "vitest";
import { keys as texts } from "@/i18n/en/keys";
import { problemsOf, SCOPE_TEXTS, SCOPES, scopesOf } from "./scopes";

describe("scopes of API keys", () => {
  it("are kept in one order, without what is none", () => {
    expect(scopesOf(["jobs:read", "admin", "jobs:write"])).toEqual(["jobs:write", "jobs:read"]);
  });

  it("each have words", () => {
    expect(SCOPES.map((scope) => SCOPE_TEXTS[scope]).toSorted()).toEqual(Object.keys(texts.scope).toSorted());
  });
});

describe("a new key", () => {
  it("wants a name and something it may do", () => {
    expect(problemsOf({ name: "  ", scopes: [] })).toEqual({ name: "wanted", scopes: "wanted" });
    expect(problemsOf({ name: "Website", scopes: ["jobs:read"] })).toEqual({});
  });
});
