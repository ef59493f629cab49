import { Select } from '@mantine/core'
import { useCall } from '../../backend/use-call.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'

interface AnalysisDatasetProps {
  readonly value: string | null
  readonly onChange: (id: string | null) => void
  /** Made-up inputs do without one. */
  readonly optional: boolean
}

/** Chooses the samples that tensors are compared on. */
export function AnalysisDataset({ value, onChange, optional }: AnalysisDatasetProps) {
  const { data: datasets } = useCall('datasets.list', {})
  return (
    <Select
      label="Dataset"
      description={optional ? 'real samples tell more than made-up inputs' : 'answers are compared on all of its samples'}
      data={(datasets ?? []).map(({ id, name, report }) => ({
        value: id,
        label: `${plainText(name, 60)} (${formatCount(report.samples)})`,
      }))}
      value={datasets?.some(({ id }) => id === value) ? value : null}
      onChange={onChange}
      placeholder={datasets?.length === 0 ? 'Import a dataset first' : optional ? 'Made-up inputs' : 'Choose a dataset'}
      clearable={optional}
      allowDeselect={optional}
      data-testid="analysis-dataset"
    />
  )
}
