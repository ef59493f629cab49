import { Select } from '@mantine/core'
import { useCall } from '../backend/use-call.ts'
import { formatCount } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'

interface LabelledDatasetSelectProps {
  readonly label: string
  readonly description: string
  readonly value: string | null
  readonly onChange: (id: string | null) => void
  readonly placeholder?: string
  readonly testId: string
}

/** Chooses a dataset that has labels. */
export function LabelledDatasetSelect({ label, description, value, onChange, placeholder, testId }: LabelledDatasetSelectProps) {
  const { data: datasets } = useCall('datasets.list', {})
  const labelled = (datasets ?? []).filter(({ report }) => report.labelled)
  return (
    <Select
      label={label}
      description={description}
      data={labelled.map(({ id, name, report }) => ({ value: id, label: `${plainText(name, 60)} (${formatCount(report.samples)})` }))}
      value={labelled.some(({ id }) => id === value) ? value : null}
      onChange={onChange}
      placeholder={labelled.length === 0 ? 'Import a dataset with labels first' : (placeholder ?? 'Choose a dataset')}
      clearable
      data-testid={testId}
    />
  )
}
