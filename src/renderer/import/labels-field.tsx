import { Button, Group, TextInput } from '@mantine/core'
import { bridge } from '../backend/bridge.ts'
import type { ImportDraft } from './import-draft.ts'

interface LabelsFieldProps {
  readonly draft: ImportDraft
  readonly onChange: (change: Partial<ImportDraft>) => void
}

/** The file that holds the labels, where it is another one. */
export function LabelsField({ draft, onChange }: LabelsFieldProps) {
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <TextInput
        label="Labels file"
        description="Found beside the samples when left empty"
        value={draft.labelsPath}
        onChange={(event) => onChange({ labelsPath: event.currentTarget.value })}
        flex={1}
      />
      <Button
        variant="default"
        onClick={async () => {
          const labelsPath = await bridge().chooseFile({ kind: 'open-dataset' })
          if (labelsPath !== null) onChange({ labelsPath })
        }}
      >
        Choose…
      </Button>
    </Group>
  )
}
