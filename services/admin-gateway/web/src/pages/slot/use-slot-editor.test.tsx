// @vitest-environment jsdom
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, it, vi } from "vitest";
import { keys } from "@/api/keys";
import { slotQuery } from "@/api/queries";
import type { Slot } from "@/api/types";
import { aSlot } from "@/testing/builders";
import { useSlotEditor } from "./use-slot-editor";

function aWholeSlot(changes: Partial<Slot> = {}): Slot {
  return {
    ...aSlot(),
    size_limit_mb: 15,
    sync_response_seconds: null,
    effective_sync_response_seconds: 48,
    settings: { strength: 60 },
    template_media: [],
    recent_results: [],
    updated_by: "igor",
    response_mode: "image",
    on_failure: "error",
    late_results: "discard",
    dedupe: null,
    running_limit: null,
    queue_length: null,
    output_format: "as_is",
    has_own_password: false,
    ...changes,
  };
}

/** The editor of a slot whose server is `server`. */
function edited(server: (request: Request) => Promise<Response> | Response) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
  queries.setQueryData(keys.slot("slot-001"), aWholeSlot());
  vi.stubGlobal("fetch", vi.fn(server));
  const { result } = renderHook(
    () => {
      const { data } = useQuery(slotQuery("slot-001"));
      if (!data) throw new Error("The slot is there from the beginning.");
      return useSlotEditor(data, []);
    },
    {
      wrapper: ({ children }: { children: ReactNode }) => (
        <QueryClientProvider client={queries}>{children}</QueryClientProvider>
      ),
    },
  );
  const rename = (display_name: string) =>
    act(() => result.current.update((draft) => ({ ...draft, display_name })));
  const arrives = (slot: Slot) => act(() => queries.setQueryData(keys.slot("slot-001"), slot));
  return { result, rename, arrives };
}

const json = (body: unknown, status = 200) => Response.json(body, { status });

describe("the editor of a slot", () => {
  it("saves what changed on the version it started from, and goes on from the answer", async () => {
    const sent: unknown[] = [];
    const { result, rename } = edited(async (request) => {
      sent.push(request.headers.get("If-Match"), await request.json());
      return json(aWholeSlot({ display_name: "New", version: 2, updated_by: "serg" }));
    });
    rename("New");
    await act(() => result.current.save());
    expect(sent).toEqual(['"1"', { display_name: "New" }]);
    expect(result.current.changes).toEqual([]);
    expect(result.current.editing.version).toBe(2);
  });

  it("keeps what is typed while a save is on its way", async () => {
    let answer: (response: Response) => void = () => {};
    const answered = new Promise<Response>((resolve) => {
      answer = resolve;
    });
    const { result, rename } = edited(() => answered);
    rename("New");
    let saving: Promise<unknown> = Promise.resolve();
    act(() => {
      saving = result.current.save();
    });
    rename("New and more");
    await act(async () => {
      answer(json(aWholeSlot({ display_name: "New", version: 2 })));
      await saving;
    });
    expect(result.current.changes).toEqual([{ path: "display_name", before: "New", after: "New and more" }]);
  });

  it("shows another's version at once while nothing is unsaved", async () => {
    const { result, arrives } = edited(() => json({}, 500));
    arrives(aWholeSlot({ display_name: "Theirs", version: 2 }));
    await waitFor(() => expect(result.current.editing.draft.display_name).toBe("Theirs"));
    expect(result.current.newer).toBeNull();
  });

  it("tells of another's version while something is unsaved, and puts mine on top of theirs", async () => {
    const { result, rename, arrives } = edited(() => json({}, 500));
    rename("Mine");
    arrives(aWholeSlot({ display_name: "Theirs", size_limit_mb: 5, version: 2 }));
    await waitFor(() => expect(result.current.newer?.version).toBe(2));
    expect(result.current.editing.draft).toMatchObject({ display_name: "Mine", size_limit_mb: 15 });
    act(() => result.current.keepMine());
    expect(result.current.newer).toBeNull();
    expect(result.current.editing.draft).toMatchObject({ display_name: "Mine", size_limit_mb: 5 });
    expect(result.current.changes).toEqual([{ path: "display_name", before: "Theirs", after: "Mine" }]);
  });

  it("learns what the other saved when a save is refused, and can take it", async () => {
    const { result, rename } = edited((request) =>
      request.method === "PUT"
        ? json({ status: "error", failure_reason: "version_conflict", details: "", current_version: 2 }, 409)
        : json(aWholeSlot({ display_name: "Theirs", version: 2 })),
    );
    rename("Mine");
    await act(() => result.current.save().catch(() => null));
    await waitFor(() => expect(result.current.conflict).toBe(true));
    expect(result.current.newer?.display_name).toBe("Theirs");
    act(() => result.current.takeTheirs());
    expect(result.current.conflict).toBe(false);
    expect(result.current.editing.draft.display_name).toBe("Theirs");
  });

  it("remembers why a save was refused until the draft is given up", async () => {
    const { result, rename } = edited(() =>
      json({ status: "error", failure_reason: "invalid_settings", details: "", errors: [] }, 422),
    );
    rename("Mine");
    await act(() => result.current.save().catch(() => null));
    await waitFor(() => expect(result.current.refusal?.draft.display_name).toBe("Mine"));
    act(() => result.current.discard());
    expect(result.current.refusal).toBeNull();
    expect(result.current.changes).toEqual([]);
  });
});
