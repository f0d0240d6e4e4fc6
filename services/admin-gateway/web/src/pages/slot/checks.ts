import type { Draft } from "./draft";
import type { OperationRules } from "./values";

/** What is wrong with a value: the name of its text under `problem.`, and what the text mentions. */
export type ValueProblem = { text: "name" | "password" } | { text: "range"; least: number; most: number };

/** Bounds of numbers, as the server has them. */
export const BOUNDS = {
  size_limit_mb: { least: 1, most: 20 },
  sync_response_seconds: { least: 10, most: 60 },
  running_limit: { least: 1, most: 50 },
  queue_length: { least: 0, most: 100 },
} as const;

export type BoundedName = keyof typeof BOUNDS;
export type ValueProblems = Partial<Record<BoundedName | "display_name" | "ingest_password", ValueProblem>>;

/** Checks what is no setting of the operation, before it is sent. */
export function valueProblems(draft: Draft): ValueProblems {
  const problems: ValueProblems = {};
  // People count characters, the server code points: neither counts UTF-16 units.
  const name = [...draft.display_name].length;
  if (draft.display_name.trim() === "" || name > 80) problems.display_name = { text: "name" };
  for (const [key, bounds] of Object.entries(BOUNDS)) {
    // Object.entries forgets which names there are.
    const bounded = key as BoundedName;
    const value = draft[bounded];
    if (value === null) continue;
    if (!Number.isInteger(value) || value < bounds.least || value > bounds.most) {
      problems[bounded] = { text: "range", ...bounds };
    }
  }
  const password = draft.ingest_password;
  if (password !== null && password !== "" && ([...password].length < 8 || [...password].length > 64)) {
    problems.ingest_password = { text: "password" };
  }
  return problems;
}

export type RoleProblem = "missing" | "tooMany";

/** Which roles of the operation have too few or too many template images, by role. */
export function roleProblems(draft: Draft, operation: OperationRules | null): Record<string, RoleProblem> {
  const problems: Record<string, RoleProblem> = {};
  for (const need of operation?.needs ?? []) {
    const count = draft.template_media.filter(({ role }) => role === need.role).length;
    if (need.required && count === 0) problems[need.role] = "missing";
    if (need.max_count > 0 && count > need.max_count) problems[need.role] = "tooMany";
  }
  return problems;
}
