import { Group, NumberInput, Select, TextInput } from '@mantine/core'
import type { ImportDraft, ScaleChoice } from './import-draft.ts'

interface ValueFieldsProps {
  readonly draft: ImportDraft
  readonly onChange: (change: Partial<ImportDraft>) => void
  readonly errors: Readonly<Record<string, string>>
}

/** How stored values become what the model was trained with. */
export function ValueFields({ draft, onChange, errors }: ValueFieldsProps) {
  return (
    <>
      <Select
        label="Values"
        description="Must be what the model was trained with. It travels with every build to the device."
        data={[
          { value: 'none', label: 'Use as they are' },
          { value: 'bytes', label: 'Divide by 255 (bytes to 0…1)' },
          { value: 'custom', label: 'Multiply by a number' },
        ]}
        value={draft.scaleChoice}
        onChange={(value) => onChange({ scaleChoice: (value ?? 'none') as ScaleChoice })}
        allowDeselect={false}
      />
      {draft.scaleChoice === 'custom' ? (
        <NumberInput label="Factor" value={draft.scale} onChange={(scale) => onChange({ scale })} error={errors['preprocessing.scale']} />
      ) : null}
      <Group grow gap="xs" align="flex-start">
        <TextInput
          label="Mean of each channel"
          placeholder="0.485, 0.456, 0.406"
          value={draft.mean}
          onChange={(event) => onChange({ mean: event.currentTarget.value })}
          error={errors['preprocessing.mean']}
        />
        <TextInput
          label="Standard deviation"
          placeholder="0.229, 0.224, 0.225"
          value={draft.std}
          onChange={(event) => onChange({ std: event.currentTarget.value })}
          error={errors['preprocessing.std']}
        />
      </Group>
    </>
  )
}
