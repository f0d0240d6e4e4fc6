import type { SlotSummary } from "@/api/types";

/** A slot that waits for photos, but for what a test says. */
export function aSlot(changes: Partial<SlotSummary> = {}): SlotSummary {
  const id = changes.slot_id ?? "slot-001";
  return {
    slot_id: id,
    display_name: id,
    provider: "local",
    operation: "comic",
    is_active: true,
    version: 1,
    updated_at: "2026-01-01T10:00:00.000Z",
    last_success_at: null,
    running_jobs: 0,
    waiting_jobs: 0,
    ingest_url: `https://booth.test/ingest/${id}`,
    state: "active",
    last_failure_reason: null,
    latest_result: null,
    ...changes,
  };
}
