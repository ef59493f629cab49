import type { Target } from '../../../contract/names.ts'
import type { ProcedureInput } from '../../../contract/procedures.ts'
import type { Recipe, RecipeName, RecipeStep } from '../../../contract/recipe.ts'

/** A step while it is being edited. */
export interface DraftStep {
  /** Keeps a step's controls apart from those of others when steps are moved. */
  readonly key: number
  readonly recipe: RecipeName
  /** Only what differs from the defaults. */
  readonly settings: Readonly<Record<string, unknown>>
}

/** The optimize form as it stands. */
export interface OptimizeDraft {
  readonly modelId: string | null
  readonly steps: readonly DraftStep[]
  /** Null: what this computer is. */
  readonly target: Target | null
  readonly calibrationId: string | null
  readonly samples: number
  readonly name: string
  /** Points of accuracy that may be lost; null: no search. */
  readonly maxDropPoints: number | null
  /** Labelled data that accuracy is measured on. */
  readonly labelledId: string | null
}

/** An empty form. 256 samples: ranges hardly change beyond that, and the contract's default is the same. */
export function emptyDraft(): OptimizeDraft {
  return { modelId: null, steps: [], target: null, calibrationId: null, samples: 256, name: '', maxDropPoints: null, labelledId: null }
}

/** The longest recipe the contract allows. */
export const MAX_STEPS = 8

/** Adds a step with its defaults at the end. */
export function withStep(draft: OptimizeDraft, recipe: RecipeName): OptimizeDraft {
  const key = Math.max(0, ...draft.steps.map((step) => step.key)) + 1
  return { ...draft, steps: [...draft.steps, { key, recipe, settings: {} }] }
}

/** Moves the step at `index` by one place; nothing happens at the ends. */
export function withMovedStep(draft: OptimizeDraft, index: number, by: -1 | 1): OptimizeDraft {
  const steps = [...draft.steps]
  const step = steps[index]
  const other = steps[index + by]
  if (!step || !other) return draft
  steps[index] = other
  steps[index + by] = step
  return { ...draft, steps }
}

/** Sets one setting of a step; `undefined` goes back to the default. */
export function withSetting(draft: OptimizeDraft, stepKey: number, setting: string, value: unknown): OptimizeDraft {
  return {
    ...draft,
    steps: draft.steps.map((step) => {
      if (step.key !== stepKey) return step
      const { [setting]: _, ...rest } = step.settings
      return { ...step, settings: value === undefined ? rest : { ...rest, [setting]: value } }
    }),
  }
}

/** The steps as a recipe; the settings still have to be checked. */
export function recipeOf(steps: readonly DraftStep[]): Recipe {
  return steps.map((step) => ({ recipe: step.recipe, ...step.settings }) as RecipeStep)
}

/** Whether an accuracy budget means anything for these steps: it decides what int8-static leaves in float. */
export function takesBudget(steps: readonly DraftStep[]): boolean {
  return steps.some(({ recipe }) => recipe === 'int8-static')
}

/** What `optimize.start` is called with. Calibration is only sent along where a step uses it. */
export function optimizeInput(draft: OptimizeDraft, usesCalibration: boolean): ProcedureInput<'optimize.start'> {
  return {
    modelId: draft.modelId ?? '',
    recipe: recipeOf(draft.steps),
    ...(draft.target ? { target: draft.target } : {}),
    ...(usesCalibration && draft.calibrationId ? { calibrationId: draft.calibrationId, samples: draft.samples } : {}),
    ...(draft.name.trim() ? { name: draft.name } : {}),
    ...(draft.maxDropPoints !== null && takesBudget(draft.steps)
      ? { budget: { maxAccuracyDrop: draft.maxDropPoints / 100, datasetId: draft.labelledId ?? '' } }
      : {}),
  }
}
