import { NumberInput, Select } from '@mantine/core'
import type { Dataset } from '../../../../contract/dataset.ts'
import { formatCount } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import classes from './deploy.module.css'
import type { DeployDraft } from './deploy-draft.ts'

interface GateFieldsProps {
  readonly draft: DeployDraft
  readonly onChange: (draft: DeployDraft) => void
  readonly errors: Readonly<Record<string, string>>
  readonly datasets: readonly Dataset[]
}

/** What a release must show before it gets its first request, and the data it is checked and later watched with. */
export function GateFields({ draft, onChange, errors, datasets }: GateFieldsProps) {
  const labelled = datasets.find(({ id }) => id === draft.datasetId)?.report.labelled === true
  return (
    <>
      <Select
        label="Data it is checked and watched with"
        description="Known answers before it serves, names and ranges of fields, and drift from 1,000 samples on"
        placeholder="What the build was calibrated with"
        data={datasets.map(({ id, name, report }) => ({ value: id, label: `${plainText(name, 60)} (${formatCount(report.samples)})` }))}
        value={draft.datasetId ?? null}
        onChange={(datasetId) => onChange({ ...draft, datasetId, maxAccuracyDropPercent: '' })}
        clearable
        data-testid="deploy-dataset"
      />
      <div className={classes.pair}>
        <NumberInput
          label="Latency, at most"
          description="p95 of single runs, before it serves"
          placeholder="No limit"
          suffix=" ms"
          value={draft.maxLatencyMs}
          onChange={(maxLatencyMs) => onChange({ ...draft, maxLatencyMs })}
          error={errors['gate.maxLatencyMs']}
          data-testid="deploy-max-latency"
        />
        <NumberInput
          label="Accuracy lost, at most"
          description={labelled ? 'On the device, with its labels' : 'Needs data with labels'}
          placeholder="Not measured"
          suffix=" pt"
          value={draft.maxAccuracyDropPercent}
          onChange={(maxAccuracyDropPercent) => onChange({ ...draft, maxAccuracyDropPercent })}
          error={errors.maxAccuracyDrop}
          disabled={!labelled}
          data-testid="deploy-max-drop"
        />
      </div>
    </>
  )
}
