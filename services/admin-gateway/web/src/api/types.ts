import type { paths } from "./schema";

/** Paths that answer `Method`. */
type PathsWith<Method extends string> = {
  [P in keyof paths]: paths[P] extends Record<Method, { responses: unknown }> ? P : never;
}[keyof paths];

type Success = 200 | 201 | 202;

type JsonOf<T> = T extends { content: { "application/json": infer Body } } ? Body : never;

/** What a route answers when all is well, by path: its model's name in Python does not matter here. */
type Answer<Method extends string, P extends PathsWith<Method>> =
  paths[P] extends Record<Method, { responses: infer Responses }>
    ? JsonOf<Responses[Extract<keyof Responses, Success>]>
    : never;

/** The JSON a route takes. */
type Body<Method extends string, P extends PathsWith<Method>> =
  paths[P] extends Record<Method, { requestBody?: infer RequestBody }>
    ? JsonOf<NonNullable<RequestBody>>
    : never;

export type Me = Answer<"get", "/api/me">;

export type SlotSummary = Answer<"get", "/api/slots">[number];
export type SlotState = SlotSummary["state"];
export type Slot = Answer<"get", "/api/slots/{slot_id}">;
export type SlotChange = Body<"put", "/api/slots/{slot_id}">;
export type SlotHistory = Answer<"get", "/api/slots/{slot_id}/history">;
export type SlotVersion = SlotHistory["versions"][number];
export type RecentResult = Slot["recent_results"][number];
export type TemplateMedia = Slot["template_media"][number];
export type Template = Answer<"post", "/api/template-media/register">;
export type TestRun = Answer<"post", "/api/slots/{slot_id}/test-run">;

export type Provider = Answer<"get", "/api/providers">[number];
export type Operation = Provider["operations"][number];

export type JobPage = Answer<"get", "/api/jobs">;
export type JobRow = JobPage["jobs"][number];
export type JobStatus = JobRow["status"];
export type JobDetails = Answer<"get", "/api/jobs/{job_id}/details">;

export type Settings = Answer<"get", "/api/settings">;
export type SettingsChange = Body<"put", "/api/settings">;
export type AuditPage = Answer<"get", "/api/audit">;
export type AuditEntry = AuditPage["entries"][number];

export type Overview = Answer<"get", "/api/stats/overview">;
export type SlotsStatistics = Answer<"get", "/api/stats/slots">;
export type Series = Answer<"get", "/api/stats/series">;

export type Galleries = Answer<"get", "/api/gallery">;
export type Gallery = Galleries["slots"][number];

export type Queues = Answer<"get", "/api/queues">;
export type Queue = Queues["queues"][number];
export type Worker = Queues["workers"][number];
export type DeadTask = Answer<"get", "/api/queues/{queue}/dead">["tasks"][number];

export type ApiKey = Answer<"get", "/api/api-keys">["keys"][number];
export type NewApiKeyChange = Body<"post", "/api/api-keys">;

export type Delivery = Answer<"get", "/api/webhooks/deliveries">["deliveries"][number];
export type DeliveryState = Delivery["state"];
export type DeliveryDetails = Answer<"get", "/api/webhooks/deliveries/{delivery_id}">;
export type DeliveryAttempt = DeliveryDetails["attempts"][number];
