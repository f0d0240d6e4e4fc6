import { expect, it } from "vitest";
import { ApiError, errorOf, noAnswer } from "./errors";

const answered = (status: number, body: unknown) => errorOf(new Response(JSON.stringify(body), { status }));

it("reads what a refusal says", async () => {
  const error = await answered(422, {
    status: "error",
    failure_reason: "invalid_settings",
    details: "The settings do not fit.",
    errors: [{ field: "settings.prompt", message: "is too long" }, { field: 7 }, null],
    current_version: 4,
  });
  expect(error).toMatchObject({
    status: 422,
    reason: "invalid_settings",
    details: "The settings do not fit.",
    fields: [{ field: "settings.prompt", message: "is too long" }],
    currentVersion: 4,
    retryAfter: null,
  });
});

it("calls a page that is not ours unreadable", async () => {
  expect(await errorOf(new Response("<h1>Bad gateway</h1>", { status: 502 }))).toMatchObject({
    status: 502,
    reason: "unreadable_answer",
  });
  expect(await answered(500, ["unexpected"])).toMatchObject({ reason: "unreadable_answer" });
});

it("tells a lost session from a wrong password", async () => {
  expect((await answered(401, { failure_reason: "token_expired" })).signedOut).toBe(true);
  expect((await answered(401, { failure_reason: "invalid_credentials" })).signedOut).toBe(false);
  expect((await answered(403, { failure_reason: "insufficient_scope" })).signedOut).toBe(false);
});

it("leaves a call that was given up alone, and calls any other silence the network's", () => {
  const givenUp = new DOMException("gone", "AbortError");
  expect(noAnswer(givenUp)).toBe(givenUp);
  expect(noAnswer(new TypeError("Failed to fetch"))).toEqual(new ApiError({ status: 0, reason: "network" }));
});
