import { NumberInput, Select, TextInput } from '@mantine/core'
import { resizeChoices } from '../../text/preprocessing-text.ts'
import type { ImageDraft } from './preprocessing-draft.ts'
import classes from './preprocessing-form.module.css'

interface ImageStepsFieldsProps {
  readonly image: ImageDraft
  readonly errors: Readonly<Record<string, string>>
  readonly onChange: (image: ImageDraft, group: string) => void
}

/** How an image file becomes pixels of one size. */
export function ImageStepsFields({ image, errors, onChange }: ImageStepsFieldsProps) {
  const change = (part: Partial<ImageDraft>) => onChange({ ...image, ...part }, `image ${Object.keys(part).join()}`)
  return (
    <div className={classes.fields}>
      <NumberInput
        label="Width"
        suffix=" px"
        value={image.width}
        onChange={(width) => change({ width })}
        error={errors['image.width']}
        allowDecimal={false}
        data-testid="steps-width"
      />
      <NumberInput
        label="Height"
        suffix=" px"
        value={image.height}
        onChange={(height) => change({ height })}
        error={errors['image.height']}
        allowDecimal={false}
        data-testid="steps-height"
      />
      <Select
        className={classes.wide}
        label="Resize"
        data={resizeChoices}
        value={image.resize}
        onChange={(resize) => change({ resize: (resize ?? 'stretch') as ImageDraft['resize'] })}
        allowDeselect={false}
        data-testid="steps-resize"
      />
      {image.resize === 'short-side' ? (
        <NumberInput
          label="Shorter side"
          suffix=" px"
          value={image.shortSide}
          onChange={(shortSide) => change({ shortSide })}
          error={errors['image.shortSide']}
          allowDecimal={false}
        />
      ) : null}
      {image.resize === 'contain' ? (
        <TextInput
          label="Padding (red, green, blue)"
          value={image.pad}
          onChange={(event) => change({ pad: event.currentTarget.value })}
          error={errors['image.pad']}
        />
      ) : null}
      <Select
        label="Filter"
        data={[
          { value: 'linear', label: 'Linear' },
          { value: 'cubic', label: 'Cubic' },
          { value: 'lanczos3', label: 'Lanczos' },
          { value: 'nearest', label: 'Nearest' },
        ]}
        value={image.filter}
        onChange={(filter) => change({ filter: (filter ?? 'linear') as ImageDraft['filter'] })}
        allowDeselect={false}
      />
      <Select
        label="Colour"
        data={[
          { value: 'rgb', label: 'RGB' },
          { value: 'grey', label: 'Grey, one channel' },
        ]}
        value={image.colour}
        onChange={(colour) => change({ colour: (colour ?? 'rgb') as ImageDraft['colour'] })}
        allowDeselect={false}
        data-testid="steps-colour"
      />
    </div>
  )
}
