import { Checkbox, NumberInput, Select, Textarea } from '@mantine/core'
import type { Dataset } from '../../../contract/dataset.ts'
import { Section } from '../../components/section.tsx'
import { layoutText } from '../../text/preprocessing-text.ts'
import { FitButtons } from './fit-buttons.tsx'
import { holdsImages, isReversible } from './holds-images.ts'
import { ImageStepsFields } from './image-steps-fields.tsx'
import type { PreprocessingDraft } from './preprocessing-draft.ts'
import classes from './preprocessing-form.module.css'

interface PreprocessingFormProps {
  readonly dataset: Dataset
  readonly draft: PreprocessingDraft
  readonly errors: Readonly<Record<string, string>>
  /** Changes of one `group` in a row are one step of undo. */
  readonly onChange: (part: Partial<PreprocessingDraft>, group: string) => void
}

const layouts = Object.entries(layoutText).map(([value, label]) => ({ value, label: `${label.charAt(0).toUpperCase()}${label.slice(1)}` }))
const types = ['float32', 'float16', 'float64', 'uint8', 'int8', 'int32', 'int64'] as const

/** All fields of a description, in the order they are applied. */
export function PreprocessingForm({ dataset, draft, errors, onChange }: PreprocessingFormProps) {
  const images = holdsImages(dataset)
  const entries = images ? 'channel' : 'feature'
  return (
    <div className={classes.form}>
      {draft.image ? (
        <Section title="1  Image to pixels">
          <ImageStepsFields image={draft.image} errors={errors} onChange={(image, group) => onChange({ image }, group)} />
        </Section>
      ) : null}
      <Section title={`${draft.image ? '2' : '1'}  Values`}>
        <div className={classes.fields}>
          {isReversible(dataset, draft.image) || draft.reverseChannels ? (
            <Checkbox
              className={classes.wide}
              label="Reverse the channels (RGB to BGR or back)"
              checked={draft.reverseChannels}
              onChange={(event) => onChange({ reverseChannels: event.currentTarget.checked }, 'reverseChannels')}
              data-testid="reverse-channels"
            />
          ) : null}
          <Select
            label="Scale"
            data={[
              { value: 'none', label: 'Values as they are' },
              { value: 'bytes', label: '÷ 255 (bytes to 0…1)' },
              { value: 'custom', label: '× a number' },
            ]}
            value={draft.scaleChoice}
            onChange={(choice) => onChange({ scaleChoice: (choice ?? 'none') as PreprocessingDraft['scaleChoice'] }, 'scaleChoice')}
            allowDeselect={false}
            data-testid="preprocessing-scale"
          />
          {draft.scaleChoice === 'custom' ? (
            <NumberInput
              label="Factor"
              value={draft.scale}
              onChange={(scale) => onChange({ scale }, 'scale')}
              error={errors.scale}
              data-testid="preprocessing-factor"
            />
          ) : null}
          <Textarea
            className={classes.wide}
            label="Mean"
            description={`Taken away: one number for all, or one for each ${entries}`}
            placeholder="0.485, 0.456, 0.406"
            value={draft.mean}
            onChange={(event) => onChange({ mean: event.currentTarget.value }, 'mean')}
            error={errors.mean}
            classNames={{ input: 'es-mono' }}
            autosize
            minRows={1}
            maxRows={4}
            data-testid="preprocessing-mean"
          />
          <Textarea
            className={classes.wide}
            label="Standard deviation"
            description="Divided by it, after that"
            placeholder="0.229, 0.224, 0.225"
            value={draft.std}
            onChange={(event) => onChange({ std: event.currentTarget.value }, 'std')}
            error={errors.std}
            classNames={{ input: 'es-mono' }}
            autosize
            minRows={1}
            maxRows={4}
            data-testid="preprocessing-std"
          />
          <div className={classes.wide}>
            <FitButtons dataset={dataset} draft={draft} onChange={(fitted) => onChange(fitted, 'fit')} />
          </div>
        </div>
      </Section>
      <Section title={`${draft.image ? '3' : '2'}  What the model takes`}>
        <div className={classes.fields}>
          {images ? (
            <>
              {dataset.format === 'images' ? null : (
                <Select
                  label="Stored as"
                  data={[{ value: '', label: 'As the model takes it' }, ...layouts]}
                  value={draft.stored}
                  onChange={(stored) => onChange({ stored: (stored ?? '') as PreprocessingDraft['stored'] }, 'stored')}
                  error={errors.stored}
                  allowDeselect={false}
                />
              )}
              <Select
                label="Layout"
                data={[{ value: '', label: dataset.format === 'images' ? 'As the model takes it' : 'As stored' }, ...layouts]}
                value={draft.layout}
                onChange={(layout) => onChange({ layout: (layout ?? '') as PreprocessingDraft['layout'] }, 'layout')}
                error={errors.layout}
                disabled={dataset.format !== 'images' && !draft.stored && !draft.layout}
                allowDeselect={false}
                data-testid="preprocessing-layout"
              />
            </>
          ) : null}
          <Select
            label="Element type"
            data={[{ value: '', label: 'As the model takes it' }, ...types.map((value) => ({ value, label: value }))]}
            value={draft.dtype}
            onChange={(dtype) => onChange({ dtype: (dtype ?? '') as PreprocessingDraft['dtype'] }, 'dtype')}
            error={errors.dtype}
            allowDeselect={false}
          />
        </div>
      </Section>
    </div>
  )
}
