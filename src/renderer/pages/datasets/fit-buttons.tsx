import { Button, Tooltip } from '@mantine/core'
import type { Dataset } from '../../../contract/dataset.ts'
import { type FitMethod, fitPreprocessing } from '../../../core/datasets/fit-preprocessing.ts'
import classes from './fit-buttons.module.css'
import { holdsBytes, isReversible } from './holds-images.ts'
import { draftOf, type PreprocessingDraft, preprocessingOf } from './preprocessing-draft.ts'

interface FitButtonsProps {
  readonly dataset: Dataset
  readonly draft: PreprocessingDraft
  readonly onChange: (draft: PreprocessingDraft) => void
}

interface Fit {
  readonly method: FitMethod
  readonly label: string
  readonly means: string
}

const fromStatistics: readonly Fit[] = [
  { method: 'standardize', label: 'Mean 0, deviation 1', means: 'Mean and standard deviation as measured in this dataset' },
  { method: 'min-max', label: '0…1', means: 'Lowest to 0, highest to 1, as measured in this dataset' },
  { method: 'symmetric', label: '−1…1', means: 'Lowest to −1, highest to 1, as measured in this dataset' },
]

const constants: readonly Fit[] = [
  { method: 'bytes', label: 'Bytes to 0…1', means: 'Divided by 255' },
  { method: 'bytes-symmetric', label: 'Bytes to −1…1', means: 'Divided by 127.5, then 1 taken away (MobileNet, Inception)' },
  { method: 'imagenet', label: 'ImageNet', means: 'Bytes to 0…1, then mean and deviation of ImageNet’s RGB channels (torchvision)' },
]

/** Chooses scale, mean and std: from the data, or as networks are commonly trained. */
export function FitButtons({ dataset, draft, onChange }: FitButtonsProps) {
  const [statistics] = dataset.report.statistics
  const known = constants.filter(({ method }) => method !== 'imagenet' || isReversible(dataset, draft.image))
  const fit = (method: FitMethod) => onChange(draftOf(fitPreprocessing(method, statistics, preprocessingOf(draft))))
  return (
    <div className={classes.rows}>
      <FitRow
        title={statistics ? 'Fit to the data' : 'Fit to the data: an older version did not measure it, import it again'}
        fits={fromStatistics}
        disabled={!statistics}
        onFit={fit}
      />
      {holdsBytes(dataset) ? <FitRow title="As trained" fits={known} disabled={false} onFit={fit} /> : null}
    </div>
  )
}

interface FitRowProps {
  readonly title: string
  readonly fits: readonly Fit[]
  readonly disabled: boolean
  readonly onFit: (method: FitMethod) => void
}

function FitRow({ title, fits, disabled, onFit }: FitRowProps) {
  return (
    <fieldset className={classes.row}>
      <legend className={classes.title}>{title}</legend>
      {fits.map(({ method, label, means }) => (
        <Tooltip key={method} label={means}>
          <Button
            type="button"
            variant="default"
            size="compact-xs"
            disabled={disabled}
            onClick={() => onFit(method)}
            data-testid={`fit-${method}`}
          >
            {label}
          </Button>
        </Tooltip>
      ))}
    </fieldset>
  )
}
