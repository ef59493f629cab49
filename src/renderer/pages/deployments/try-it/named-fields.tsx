import { ScrollArea, TextInput } from '@mantine/core'
import { plainText } from '../../../format/plain-text.ts'
import { type FormField, rangeText } from './served-form.ts'
import classes from './try-it.module.css'

interface NamedFieldsProps {
  readonly fields: readonly FormField[]
  readonly values: ReadonlyMap<string, string>
  readonly onChange: (name: string, value: string) => void
  /** By the name of the field. */
  readonly problems: ReadonlyMap<string, string>
}

/** One box for each value of a sample, with the range the service takes. */
export function NamedFields({ fields, values, onChange, problems }: NamedFieldsProps) {
  return (
    <ScrollArea.Autosize mah={380} type="auto" viewportProps={{ tabIndex: 0, 'aria-label': 'Values of the sample', role: 'group' }}>
      <div className={classes.fields}>
        {fields.map((field) => (
          <TextInput
            key={field.name}
            label={plainText(field.name, 60)}
            description={rangeText(field) || ' '}
            value={values.get(field.name) ?? ''}
            onChange={(event) => onChange(field.name, event.currentTarget.value)}
            error={problems.get(field.name)}
            inputMode={field.kind === 'text' ? 'text' : 'decimal'}
            data-testid={`try-field-${field.name}`}
            spellCheck={false}
          />
        ))}
      </div>
    </ScrollArea.Autosize>
  )
}
