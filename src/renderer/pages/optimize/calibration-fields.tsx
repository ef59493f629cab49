import { NumberInput, Select } from '@mantine/core'
import { useCall } from '../../backend/use-call.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import type { OptimizeDraft } from './optimize-draft.ts'
import classes from './optimize-form.module.css'

interface CalibrationFieldsProps {
  readonly draft: OptimizeDraft
  readonly setDraft: (draft: OptimizeDraft) => void
  /** False: the recipe is only better with samples. */
  readonly needed: boolean
  readonly error: string | undefined
}

/** Samples that show the recipe which values occur. */
export function CalibrationFields({ draft, setDraft, needed, error }: CalibrationFieldsProps) {
  const { data: datasets } = useCall('datasets.list', {})
  const chosen = datasets?.find(({ id }) => id === draft.calibrationId)
  return (
    <div className={classes.pair}>
      <Select
        label="Calibration data"
        description={`Samples like those in use; labels are not needed. ${needed ? 'Keep test data out of it.' : 'Optional: the build gets better with them.'}`}
        clearable={!needed}
        data={(datasets ?? []).map(({ id, name, report }) => ({
          value: id,
          label: `${plainText(name, 60)} (${formatCount(report.samples)})`,
        }))}
        value={chosen?.id ?? null}
        onChange={(calibrationId) => setDraft({ ...draft, calibrationId })}
        placeholder={datasets?.length === 0 ? 'Import a dataset first' : 'Choose a dataset'}
        searchable
        data-testid="optimize-calibration"
      />
      <NumberInput
        label="Samples"
        description={chosen ? `of ${formatCount(chosen.report.samples)}` : 'to use'}
        value={draft.samples}
        onChange={(value) => setDraft({ ...draft, samples: value === '' ? Number.NaN : Number(value) })}
        allowDecimal={false}
        error={error}
        step={64}
        data-testid="optimize-samples"
      />
    </div>
  )
}
