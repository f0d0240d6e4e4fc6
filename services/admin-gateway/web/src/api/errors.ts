/** One field the server would not take; `field` is a dotted path such as `settings.prompt`. */
export interface FieldError {
  field: string;
  message: string;
}

interface Facts {
  status: number;
  reason: string;
  details: string;
  retryAfter: number | null;
  jobId: string | null;
  currentVersion: number | null;
  fields: FieldError[];
}

/**
 * A refusal of the API, or no answer at all.
 *
 * `reason` is the stable `failure_reason` of docs/http.md; `network` when no answer came, and `unreadable_answer` when
 * it was none of ours (a proxy's page, say). Texts for people are made by `describeError`.
 */
export class ApiError extends Error implements Facts {
  readonly status: number;
  readonly reason: string;
  readonly details: string;
  /** Seconds to wait before the next try. */
  readonly retryAfter: number | null;
  readonly jobId: string | null;
  /** What the resource's version is now, with `version_conflict`. */
  readonly currentVersion: number | null;
  readonly fields: FieldError[];

  constructor(facts: Pick<Facts, "status" | "reason"> & Partial<Facts>) {
    super(facts.details || facts.reason);
    this.name = "ApiError";
    this.status = facts.status;
    this.reason = facts.reason;
    this.details = facts.details ?? "";
    this.retryAfter = facts.retryAfter ?? null;
    this.jobId = facts.jobId ?? null;
    this.currentVersion = facts.currentVersion ?? null;
    this.fields = facts.fields ?? [];
  }

  /** Whether signing in again is what helps. */
  get signedOut(): boolean {
    return this.status === 401 && this.reason !== "invalid_credentials" && this.reason !== "invalid_password";
  }
}

/** The error a non-2xx answer stands for. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  if (!isRecord(body) || typeof body["failure_reason"] !== "string") {
    return new ApiError({ status: response.status, reason: "unreadable_answer" });
  }
  return new ApiError({
    status: response.status,
    reason: body["failure_reason"],
    details: text(body["details"]) ?? "",
    retryAfter: number(body["retry_after"]),
    jobId: text(body["job_id"]),
    currentVersion: number(body["current_version"]),
    fields: fieldErrors(body["errors"]),
  });
}

/** The error of a call that got no answer. */
export function noAnswer(cause: unknown): unknown {
  // A call given up on purpose is no failure.
  if (cause instanceof DOMException && cause.name === "AbortError") return cause;
  return new ApiError({ status: 0, reason: "network" });
}

function fieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (!isRecord(item)) return [];
    const field = text(item["field"]);
    const message = text(item["message"]);
    return field === null || message === null ? [] : [{ field, message }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
