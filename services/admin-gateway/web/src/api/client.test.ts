// @vitest-environment jsdom
import { expect, it, vi } from "vitest";
import { answer, api, multipart } from "./client";
import { onSignedOut, setCsrfToken } from "./session";

/** Answers the next call, and keeps its request. */
function nextAnswer(body: unknown, status = 200) {
  const fetched = vi
    .spyOn(globalThis, "fetch")
    .mockImplementation(async () => Response.json(body, { status }));
  return () => {
    const request = fetched.mock.calls.at(-1)?.[0];
    if (!(request instanceof Request)) throw new Error("nothing was asked");
    return request;
  };
}

it("proves with its token that a change comes from this page, and sends it with changes only", async () => {
  setCsrfToken("t0ken");
  const asked = nextAnswer([]);
  await answer(api.GET("/api/slots"));
  expect(asked().headers.get("X-CSRF-Token")).toBeNull();
  await api.POST("/api/gallery/share");
  expect(asked().headers.get("X-CSRF-Token")).toBe("t0ken");
});

it("tells who listens that the session is over, and throws", async () => {
  const over = vi.fn();
  onSignedOut(over);
  nextAnswer({ failure_reason: "token_expired" }, 401);
  await expect(answer(api.GET("/api/slots"))).rejects.toMatchObject({ reason: "token_expired" });
  expect(over).toHaveBeenCalledOnce();
});

it("only answers when asked whether somebody is signed in", async () => {
  const over = vi.fn();
  onSignedOut(over);
  nextAnswer({ failure_reason: "missing_token" }, 401);
  await expect(answer(api.GET("/api/me"))).rejects.toMatchObject({ reason: "missing_token" });
  expect(over).not.toHaveBeenCalled();
});

it("calls silence the network's fault", async () => {
  vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(answer(api.GET("/api/slots"))).rejects.toMatchObject({ reason: "network", status: 0 });
});

it("makes a form of what there is", () => {
  const file = new File(["pixels"], "photo.jpg", { type: "image/jpeg" });
  const form = multipart({ file, slot_id: "slot-001", media_kind: undefined }).bodySerializer();
  expect([...form.keys()]).toEqual(["file", "slot_id"]);
  expect(form.get("file")).toBeInstanceOf(File);
});
