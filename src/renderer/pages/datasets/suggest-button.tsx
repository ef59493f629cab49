import { Button } from '@mantine/core'
import { IconWand } from '@tabler/icons-react'
import type { Dataset, Preprocessing } from '../../../contract/dataset.ts'
import type { Model } from '../../../contract/model.ts'
import { suggestPreprocessing } from '../../../core/datasets/suggest-preprocessing.ts'
import classes from './suggest-button.module.css'

interface SuggestButtonProps {
  readonly dataset: Dataset
  readonly model: Model
  readonly preprocessing: Preprocessing
  readonly onSuggest: (preprocessing: Preprocessing) => void
}

/** What shapes and types say should be changed for a model, with the reasons; nothing where they say nothing. */
export function SuggestButton({ dataset, model, preprocessing, onSuggest }: SuggestButtonProps) {
  const suggestion = suggestPreprocessing(dataset.report.arrays, model.report.inputs, preprocessing)
  if (suggestion.reasons.length === 0) return null
  return (
    <div className={classes.suggestion} role="status">
      <ul className={classes.reasons}>
        {suggestion.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
      <Button
        type="button"
        variant="default"
        size="compact-xs"
        leftSection={<IconWand size={13} aria-hidden />}
        onClick={() => onSuggest(suggestion.preprocessing)}
        data-testid="preprocessing-suggest"
      >
        Apply
      </Button>
    </div>
  )
}
