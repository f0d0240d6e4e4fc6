import type { Provider, Slot } from "@/api/types";
import type { Draft } from "./draft";
import type { OperationRules } from "./values";

/** What every part of the form works with. */
export interface FormState {
  slot: Slot;
  providers: readonly Provider[];
  draft: Draft;
  /** Null: the provider has no such operation (any more). */
  operation: OperationRules | null;
  errors: FormErrors;
  update: (change: (draft: Draft) => Draft) => void;
  set: (values: Partial<Draft>) => void;
}

/** Texts of what is wrong, by where they are shown. */
export interface FormErrors {
  /** By name of the setting. */
  settings: Record<string, string>;
  /** By the API's name of a value. */
  values: Record<string, string>;
  /** By role of the template images. */
  roles: Record<string, string>;
  /** Of the template images as a whole. */
  templates: string[];
}
