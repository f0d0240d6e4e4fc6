import { describe, expect, it } from "vitest";
import type { ApiKey } from "@/api/types";
import { clientsOf } from "@/components/clients";
import { conditionOf, errorOf, reasonOf } from "@/components/webhooks/delivery-words";
import { filtersOf, isNarrowed, NO_FILTERS, openedIn, searchOf } from "./filters";

const ID = "0123456789abcdef".repeat(2);

describe("filters in the address", () => {
  it("come back as they were written, with the delivery that is opened", () => {
    const filters = { client: ID, state: "failed", job: ID } as const;
    const search = searchOf(filters, `msg_${ID}`);
    expect(filtersOf(search)).toEqual(filters);
    expect(openedIn(search)).toBe(`msg_${ID}`);
    expect(openedIn(searchOf(filters))).toBeNull();
  });

  it("are absent where they make no sense", () => {
    const search = new URLSearchParams({ client: "../x", state: "odd", job: "7", delivery: "msg_7" });
    expect(filtersOf(search)).toEqual(NO_FILTERS);
    expect(openedIn(search)).toBeNull();
    expect(isNarrowed(filtersOf(search))).toBe(false);
    expect(searchOf(NO_FILTERS).toString()).toBe("");
  });
});

describe("a delivery in words", () => {
  it("that waits is told by whether it was sent before", () => {
    expect(conditionOf({ state: "pending", attempts_made: 0 })).toBe("waiting");
    expect(conditionOf({ state: "pending", attempts_made: 2 })).toBe("retrying");
    expect(conditionOf({ state: "failed", attempts_made: 2 })).toBe("failed");
  });

  it("may have failed for reasons of a later version", () => {
    expect(reasonOf("gone")).toBe("gone");
    expect(reasonOf("toString")).toBe("other");
    expect(errorOf(null)).toBe("none");
    expect(errorOf("tls")).toBe("tls");
    expect(errorOf("solar_flare")).toBe("other");
  });
});

describe("clients", () => {
  const key = (changes: Partial<ApiKey>): ApiKey => ({
    ...{ id: ID, name: "Books", client_id: "a".repeat(32), scopes: [], last_four: "wxyz" },
    ...{ created_at: "2026-05-10T12:00:00Z", created_by: "serg", last_used_at: null },
    ...{ revoked_at: null, revoked_by: null },
    ...changes,
  });

  it("are called as their newest valid key, or their newest", () => {
    const revoked = { revoked_at: "2026-05-11T12:00:00Z", revoked_by: "serg" };
    const [one, other] = clientsOf([
      key({ name: "Newest", ...revoked }),
      key({ name: "Newest valid" }),
      key({ name: "Oldest" }),
      key({ name: "Gone", client_id: "b".repeat(32), ...revoked }),
      key({ name: "Gone before", client_id: "b".repeat(32), ...revoked }),
    ]);
    expect(one).toEqual({ id: "b".repeat(32), name: "Gone" });
    expect(other).toEqual({ id: "a".repeat(32), name: "Newest valid" });
  });

  it("of one name can be told from each other", () => {
    const names = clientsOf([key({}), key({ client_id: "b".repeat(32) })]).map(({ name }) => name);
    expect(names).toEqual(["Books (aaaaaaaa)", "Books (bbbbbbbb)"]);
  });
});
