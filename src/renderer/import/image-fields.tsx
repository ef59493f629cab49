import { Group, NumberInput, Select, Textarea } from '@mantine/core'
import { resizeChoices } from '../text/preprocessing-text.ts'
import type { ImportDraft } from './import-draft.ts'

interface ImageFieldsProps {
  readonly draft: ImportDraft
  readonly onChange: (change: Partial<ImportDraft>) => void
  readonly errors: Readonly<Record<string, string>>
}

/** What size pictures get, and which folder is which class. */
export function ImageFields({ draft, onChange, errors }: ImageFieldsProps) {
  return (
    <>
      <Group grow gap="xs" align="flex-start">
        <NumberInput
          label="Width"
          suffix=" px"
          value={draft.width}
          onChange={(width) => onChange({ width })}
          error={errors['preprocessing.image.width']}
          allowDecimal={false}
          data-testid="image-width"
        />
        <NumberInput
          label="Height"
          suffix=" px"
          value={draft.height}
          onChange={(height) => onChange({ height })}
          error={errors['preprocessing.image.height']}
          allowDecimal={false}
          data-testid="image-height"
        />
        <Select
          label="Colour"
          data={[
            { value: 'rgb', label: 'RGB' },
            { value: 'grey', label: 'Grey' },
          ]}
          value={draft.colour}
          onChange={(colour) => onChange({ colour: (colour ?? 'rgb') as ImportDraft['colour'] })}
          allowDeselect={false}
        />
      </Group>
      <Select
        label="Resize"
        data={resizeChoices}
        value={draft.resize}
        onChange={(resize) => onChange({ resize: (resize ?? 'stretch') as ImportDraft['resize'] })}
        allowDeselect={false}
      />
      <Textarea
        label="Class folders"
        description="Empty: numbered by alphabet from 0. Else one line a folder, as the model was trained."
        placeholder={'cat = 0\ndog = 1'}
        value={draft.classMap}
        onChange={(event) => onChange({ classMap: event.currentTarget.value })}
        error={classError(errors)}
        classNames={{ input: 'es-mono' }}
        autosize
        minRows={2}
        maxRows={6}
        data-testid="class-map"
      />
    </>
  )
}

function classError(errors: Readonly<Record<string, string>>): string | undefined {
  const [path] = Object.keys(errors).filter((key) => key === 'classes' || key.startsWith('classes.'))
  return path === undefined ? undefined : `${path.replace(/^classes\.?/, '') || 'Classes'}: give a whole number, 0 or more, after "="`
}
