import { NumberInput } from '@mantine/core'
import { LabelledDatasetSelect } from '../../components/labelled-dataset-select.tsx'
import type { OptimizeDraft } from './optimize-draft.ts'
import classes from './optimize-form.module.css'

interface BudgetFieldsProps {
  readonly draft: OptimizeDraft
  readonly setDraft: (draft: OptimizeDraft) => void
  readonly error: string | undefined
}

/** How much accuracy may be lost: nodes that cost too much stay in float. */
export function BudgetFields({ draft, setDraft, error }: BudgetFieldsProps) {
  const set = draft.maxDropPoints !== null
  return (
    <div className={classes.budget}>
      <NumberInput
        label="Accuracy budget"
        description="Points of accuracy that may be lost. Nodes that cost too much stay in float. Empty: no search."
        placeholder="no limit"
        value={draft.maxDropPoints ?? ''}
        onChange={(value) => setDraft({ ...draft, maxDropPoints: value === '' ? null : Number(value) })}
        error={set ? error : undefined}
        min={0}
        max={100}
        step={0.5}
        clampBehavior="none"
        data-testid="optimize-budget"
      />
      {set ? (
        <LabelledDatasetSelect
          label="Labelled data"
          description="What accuracy is measured on"
          value={draft.labelledId}
          onChange={(labelledId) => setDraft({ ...draft, labelledId })}
          testId="optimize-labelled"
        />
      ) : null}
    </div>
  )
}
