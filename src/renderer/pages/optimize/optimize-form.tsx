import { Button, Group, TextInput } from '@mantine/core'
import type { SetStateAction } from 'react'
import type { Model } from '../../../contract/model.ts'
import { procedures } from '../../../contract/procedures.ts'
import { needsCalibration } from '../../../contract/recipe.ts'
import { useAction } from '../../backend/use-action.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import { CalibrationFields } from './calibration-fields.tsx'
import { type OptimizeDraft, optimizeInput, recipeOf } from './optimize-draft.ts'
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
  const start = useAction('optimize.start', { showsError: true })
  const usesCalibration = needsCalibration(recipeOf(draft.steps))
  const input = optimizeInput(draft, usesCalibration)
  const errors = fieldErrors(procedures['optimize.start'].input, input)
  const calibrationMissing = usesCalibration && draft.calibrationId === null
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
        {usesCalibration ? <CalibrationFields draft={draft} setDraft={setDraft} error={errors.samples} /> : null}
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
          <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="optimize-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}

/** Why Start is grey. */
function whatIsMissing(draft: OptimizeDraft, calibrationMissing: boolean): string {
  if (draft.modelId === null) return 'Choose a model.'
  if (draft.steps.length === 0) return 'Add at least one step.'
  if (calibrationMissing) return 'Choose calibration samples.'
  return 'The model itself is never changed.'
}
