import { Button, Group, TextInput } from '@mantine/core'
import { type SetStateAction, useState } from 'react'
import type { Model } from '../../../contract/model.ts'
import { procedures } from '../../../contract/procedures.ts'
import { needsCalibration, usesCalibration } from '../../../contract/recipe.ts'
import { useAction } from '../../backend/use-action.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import { BudgetFields } from './budget-fields.tsx'
import { CalibrationFields } from './calibration-fields.tsx'
import { CompareAllDialog } from './compare-all-dialog.tsx'
import { type OptimizeDraft, optimizeInput, recipeOf, takesBudget } from './optimize-draft.ts'
import classes from './optimize-form.module.css'
import { RecipeEditor } from './recipe-editor.tsx'
import { TargetSelect } from './target-select.tsx'

interface OptimizeFormProps {
  readonly draft: OptimizeDraft
  readonly setDraft: (change: SetStateAction<OptimizeDraft>) => void
  readonly models: readonly Model[]
  readonly onStarted: (jobId: string) => void
}

/** Model, recipe, target, calibration, name; Start. */
export function OptimizeForm({ draft, setDraft, models, onStarted }: OptimizeFormProps) {
  const [comparing, setComparing] = useState(false)
  const start = useAction('optimize.start', { showsError: true })
  const recipe = recipeOf(draft.steps)
  const calibrates = usesCalibration(recipe)
  const input = optimizeInput(draft, calibrates)
  const errors = fieldErrors(procedures['optimize.start'].input, input)
  const calibrationMissing = needsCalibration(recipe) && draft.calibrationId === null
  const ready = Object.keys(errors).length === 0 && !calibrationMissing
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate(input, { onSuccess: ({ jobId }) => onStarted(jobId) })
      }}
    >
      <div className={classes.fields}>
        <ModelSelect
          label="Model"
          models={models}
          value={draft.modelId}
          onChange={(modelId) => setDraft({ ...draft, modelId })}
          testId="optimize-model"
        />
        <RecipeEditor draft={draft} setDraft={setDraft} />
        <TargetSelect value={draft.target} onChange={(target) => setDraft({ ...draft, target })} />
        {calibrates ? (
          <CalibrationFields draft={draft} setDraft={setDraft} needed={needsCalibration(recipe)} error={errors.samples} />
        ) : null}
        {takesBudget(draft.steps) ? <BudgetFields draft={draft} setDraft={setDraft} error={errors['budget.maxAccuracyDrop']} /> : null}
        <TextInput
          label="Name of the build"
          placeholder="From the model and the recipe"
          value={draft.name}
          onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })}
          error={draft.name.trim() ? errors.name : undefined}
          data-testid="optimize-name"
        />
      </div>
      <div className={classes.foot}>
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">{whatIsMissing(draft, calibrationMissing)}</span>
          <Group gap="xs" wrap="nowrap">
            <Button
              variant="default"
              size="sm"
              disabled={draft.modelId === null}
              onClick={() => setComparing(true)}
              title="Make a build by every recipe that makes sense, and compare them"
              data-testid="compare-all"
            >
              Compare all…
            </Button>
            <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="optimize-start">
              Start
            </Button>
          </Group>
        </Group>
      </div>
      {comparing && draft.modelId !== null ? (
        <CompareAllDialog
          modelId={draft.modelId}
          draft={draft}
          onClose={() => setComparing(false)}
          onStarted={(jobId) => {
            setComparing(false)
            onStarted(jobId)
          }}
        />
      ) : null}
    </form>
  )
}

/** Why Start is grey. */
function whatIsMissing(draft: OptimizeDraft, calibrationMissing: boolean): string {
  if (draft.modelId === null) return 'Choose a model.'
  if (draft.steps.length === 0) return 'Add at least one step.'
  if (calibrationMissing) return 'Choose calibration samples.'
  if (draft.maxDropPoints !== null && takesBudget(draft.steps) && draft.labelledId === null) return 'Choose labelled data for the budget.'
  return 'The model itself is never changed.'
}
