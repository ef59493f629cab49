import { Textarea } from '@mantine/core'
import { plainText } from '../../../format/plain-text.ts'
import { formatShape } from '../../../format/shapes.ts'
import type { FormInput } from './served-form.ts'
import classes from './try-it.module.css'

interface ArrayInputsProps {
  readonly inputs: readonly FormInput[]
  readonly values: ReadonlyMap<string, string>
  readonly onChange: (name: string, value: string) => void
  /** By the name of the input. */
  readonly problems: ReadonlyMap<string, string>
}

/** One box of JSON for each input: nested lists in the shape that is sent. */
export function ArrayInputs({ inputs, values, onChange, problems }: ArrayInputsProps) {
  return inputs.map((input) => (
    <Textarea
      key={input.name}
      label={plainText(input.name, 80)}
      description={`${input.shape.length === 0 ? 'one value' : `lists of ${formatShape(input.shape)}`}, ${plainText(input.type, 20)}, as JSON`}
      value={values.get(input.name) ?? ''}
      onChange={(event) => onChange(input.name, event.currentTarget.value)}
      error={plainText(problems.get(input.name) ?? '', 200) || undefined}
      placeholder="[[…], …]"
      minRows={3}
      maxRows={10}
      autosize
      classNames={{ input: classes.json ?? '' }}
      data-testid={`try-input-${input.name}`}
      spellCheck={false}
    />
  ))
}
