import { benchSettingsSchema } from '../../../contract/measurement.ts'
import { procedures } from '../../../contract/procedures.ts'
import { RuntimeChoice } from '../../components/runtime-choice.tsx'
import { Section } from '../../components/section.tsx'
import { type SettingField, settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import classes from './new-comparison.module.css'

interface MeasurementSettingsProps {
  readonly settings: Readonly<Record<string, unknown>>
  readonly onChange: (settings: Record<string, unknown>) => void
  /** By the paths of `compare.start`: `settings.runs`, `blocks`. */
  readonly errors: Readonly<Record<string, string>>
  /** Why the device cannot measure with TensorRT; null where it can. */
  readonly tensorRtRefusal: string | null
}

/** The settings people change, with words the schema does not say. */
const explained: Readonly<Record<string, string>> = {
  batch: 'samples in one inference',
  threads: 'inside an operator',
  runs: 'measured, for each model',
  seconds: 'instead of a number of runs',
  blocks: 'turns each model takes',
  control: 'measure the baseline against itself as well: the noise floor',
  warmupRuns: 'before measuring',
  warmupSeconds: 'the longer of the two',
  fp16: 'where the model has 32 bits',
}

/** A comparison measures one inference after another; rates and connections belong to runs of their own. */
const measured = { fp16: true, batch: true, threads: true, runs: true, seconds: true, warmupRuns: true, warmupSeconds: true } as const

const fields: readonly SettingField[] = [
  ...settingFields(benchSettingsSchema.pick(measured)),
  ...settingFields(procedures['compare.start'].input.pick({ blocks: true, control: true })),
]

/** How it is measured: runtime, batch, threads, runs, blocks, warm-up. */
export function MeasurementSettings({ settings, onChange, errors, tensorRtRefusal }: MeasurementSettingsProps) {
  const tensorRt = settings.runtime === 'tensorrt'
  // Threads are ONNX Runtime's, half precision is TensorRT's.
  const left = tensorRt ? 'threads' : 'fp16'
  return (
    <Section title="How" aside="The defaults are good for most">
      <div className={classes.settings}>
        <RuntimeChoice
          value={tensorRt ? 'tensorrt' : 'onnxruntime'}
          onChange={(runtime) => {
            const { threads: _, fp16: __, ...rest } = settings
            onChange({ ...rest, runtime })
          }}
          refusal={tensorRtRefusal}
          testId="compare-runtime"
        />
        {fields
          .filter(({ key }) => key !== left)
          .map((field) => (
            <SettingInput
              key={field.key}
              field={{ ...field, description: explained[field.key] ?? field.description }}
              value={settings[field.key]}
              error={errors[`settings.${field.key}`] ?? errors[field.key]}
              onChange={(value) => {
                const { [field.key]: _, ...rest } = settings
                onChange(value === undefined ? rest : { ...rest, [field.key]: value })
              }}
            />
          ))}
      </div>
    </Section>
  )
}
