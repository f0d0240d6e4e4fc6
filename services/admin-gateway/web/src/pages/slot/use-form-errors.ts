import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { ApiError } from "@/api/errors";
import type { Provider } from "@/api/types";
import { describeField } from "@/components/describe-error";
import { useOperationWords } from "@/components/operation-words";
import { sameJson } from "@/components/schema-form/json";
import { type Problem, settingsProblems } from "@/components/schema-form/problems";
import { roleProblems, type ValueProblem, valueProblems } from "./checks";
import type { Draft } from "./draft";
import type { FormErrors } from "./form-state";
import { NO_SERVER_ERRORS, sortedErrors } from "./server-errors";
import { useValueWords } from "./use-value-words";
import { knownSettings, type OperationRules } from "./values";

/**
 * What is wrong with a draft, in the reader's language: what we find ourselves, then what the server said of it.
 *
 * What is only missing is no mistake yet while somebody fills the form in; `strict` tells that too.
 */
export function useFormErrors(
  draft: Draft,
  operation: OperationRules | null,
  refusal: { error: unknown; draft: Draft } | null,
  strict: boolean,
): { errors: FormErrors; valid: boolean } {
  const { t } = useTranslation("slot");
  const words = useOperationWords();
  const valueWords = useValueWords(NO_PROVIDERS);
  const problems = useMemo(
    () =>
      operation ? settingsProblems(operation.settings_schema, knownSettings(draft.settings, operation)) : {},
    [draft.settings, operation],
  );

  const ofSetting = ({ keyword, limit }: Problem) =>
    t(isKnownProblem(keyword) ? `problem.${keyword}` : "problem.other", { limit });
  const ofValue = (problem: ValueProblem) =>
    problem.text === "range"
      ? t("problem.range", { least: problem.least, most: problem.most })
      : t(`problem.${problem.text}`);
  const ofRole = (role: string, problem: "missing" | "tooMany") => {
    const need = operation?.needs.find((each) => each.role === role);
    return problem === "missing"
      ? t("problem.roleMissing", { role: words.role(draft.provider, role, need?.title) })
      : t("problem.roleTooMany", { count: need?.max_count });
  };

  const refused = refusal?.error instanceof ApiError ? refusal.error : null;
  const ofServer = refused
    ? sortedErrors(refused.fields, (error, path) =>
        describeField(refused, error, valueWords.name(path, draft)),
      )
    : NO_SERVER_ERRORS;
  // What was changed since may be right now.
  const settingStands = (name: string) => sameJson(refusal?.draft.settings[name], draft.settings[name]);
  const valueStands = (name: string) =>
    !(name in draft) || refusal?.draft[name as keyof Draft] === draft[name as keyof Draft];
  const ofValues = valueProblems(draft);
  const ofRoles = roleProblems(draft, operation);
  const found = [problems, ofValues, ofRoles].some((all) => Object.keys(all).length > 0);
  return {
    valid: operation !== null && !found,
    errors: {
      settings: {
        ...kept(ofServer.settings, settingStands),
        ...mapped(problems, (problem) =>
          strict || problem.keyword !== "required" ? ofSetting(problem) : null,
        ),
      },
      values: { ...kept(ofServer.values, valueStands), ...mapped(ofValues, ofValue) },
      roles: mapped(ofRoles, (problem, role) =>
        strict || problem !== "missing" ? ofRole(role, problem) : null,
      ),
      templates: valueStands("template_media") ? ofServer.templates : [],
    },
  };
}

/** Settings that have no word of ours are called by their names. */
const NO_PROVIDERS: readonly Provider[] = [];

function kept(errors: Record<string, string>, stands: (name: string) => boolean): Record<string, string> {
  return Object.fromEntries(Object.entries(errors).filter(([name]) => stands(name)));
}

/** Texts of problems; those without one are left out. */
function mapped<T>(
  problems: Record<string, T | undefined>,
  textOf: (problem: T, name: string) => string | null,
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, problem] of Object.entries(problems)) {
    const text = problem === undefined ? null : textOf(problem, name);
    if (text !== null) texts[name] = text;
  }
  return texts;
}

const KNOWN = [
  "required",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "pattern",
  "enum",
  "const",
  "multipleOf",
  "type",
  "minItems",
  "maxItems",
  "uniqueItems",
] as const;

function isKnownProblem(keyword: string): keyword is (typeof KNOWN)[number] {
  return KNOWN.some((known) => known === keyword);
}
