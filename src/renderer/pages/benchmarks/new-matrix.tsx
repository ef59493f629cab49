import { Button, Group, Select } from '@mantine/core'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { benchSettingsSchema } from '../../../contract/measurement.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Section } from '../../components/section.tsx'
import { TickList } from '../../components/tick-list.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { useDraft } from '../../hooks/use-draft.ts'
import { deviceLabel } from '../../text/device-label.ts'
import { recipeText } from '../../text/recipe-text.ts'
import { emptyMatrixDraft, type MatrixDraft, matrixErrors, matrixInput } from './matrix-draft.ts'
import classes from './run-form.module.css'

/** The contract measures at most this many of each. */
const LIMIT = 16

const measured = { batch: true, threads: true, runs: true, seconds: true, warmupRuns: true, warmupSeconds: true, runtime: true } as const
const fields = settingFields(benchSettingsSchema.pick(measured))
const explained: Readonly<Record<string, string>> = {
  batch: 'samples in one inference',
  threads: 'inside an operator',
  runs: 'measured, for each cell',
  seconds: 'instead of a number of runs',
  warmupRuns: 'before measuring',
  warmupSeconds: 'the longer of the two',
  runtime: 'tensorrt on a Jetson only',
}

/** Chooses which builds are measured on which devices. */
export function NewMatrix({ modelId }: { modelId: string | null }) {
  const [, navigate] = useLocation()
  const { data: models } = useCall('models.list', {})
  const { data: devices } = useCall('devices.list', {})
  const { data: datasets } = useCall('datasets.list', {})
  const [draft, setDraft] = useDraft<MatrixDraft>('matrix', emptyMatrixDraft)
  const start = useAction('matrix.start', { showsError: true })
  useEffect(() => {
    if (modelId !== null) setDraft((previous) => ({ ...previous, modelIds: [modelId] }))
  }, [modelId, setDraft])
  const input = matrixInput(draft, { models: models ?? [], devices: devices ?? [] })
  const errors = matrixErrors(input)
  const ready = Object.keys(errors).length === 0
  const cells = input.modelIds.length * input.deviceIds.length
  return (
    <form
      className={classes.form}
      aria-label="New matrix"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate(input, { onSuccess: ({ jobId }) => navigate(`/benchmarks/matrices/${jobId}`) })
      }}
    >
      <Section title="What and where">
        <div className={classes.pair}>
          <TickList
            label="Models and builds"
            description="The first ticked is what the others are compared with"
            entries={(models ?? []).map(({ id, name, recipe, sizeBytes }) => ({
              id,
              label: plainText(name, 80),
              note:
                id === input.modelIds[0] && input.modelIds.length > 1
                  ? 'the others against this'
                  : `${recipe ? `${recipeText(recipe)} · ` : ''}${formatBytes(sizeBytes)}`,
            }))}
            ticked={input.modelIds}
            onTicked={(modelIds) => setDraft({ ...draft, modelIds })}
            limit={LIMIT}
            none="There is no model yet. Import one on the page Models."
            testId="matrix-model"
          />
          <TickList
            label="Devices"
            description="All of them are measured at the same time"
            entries={(devices ?? []).map((device) => ({
              id: device.id,
              label: deviceLabel(device),
              note: device.report?.fits === false ? 'does not fit' : plainText(device.report?.board ?? '', 30),
              disabled: device.report?.fits === false,
            }))}
            ticked={input.deviceIds}
            onTicked={(deviceIds) => setDraft({ ...draft, deviceIds })}
            limit={LIMIT}
            none="There is no device."
            testId="matrix-device"
          />
          <Select
            label="Dataset"
            description="Also evaluate every build on every device"
            data={(datasets ?? []).map(({ id, name, report }) => ({
              value: id,
              label: `${plainText(name, 60)} (${formatCount(report.samples)})`,
            }))}
            value={(datasets ?? []).some(({ id }) => id === draft.datasetId) ? draft.datasetId : null}
            onChange={(datasetId) => setDraft({ ...draft, datasetId })}
            placeholder="No dataset: latency only"
            clearable
            data-testid="matrix-dataset"
          />
        </div>
      </Section>
      <Section title="How" aside="The defaults are good for most">
        <div className={classes.settings}>
          {fields.map((field) => (
            <SettingInput
              key={field.key}
              field={{ ...field, description: explained[field.key] ?? field.description }}
              value={draft.settings[field.key]}
              error={errors[field.key]}
              onChange={(value) => {
                const { [field.key]: _, ...rest } = draft.settings
                setDraft({ ...draft, settings: value === undefined ? rest : { ...rest, [field.key]: value } })
              }}
            />
          ))}
        </div>
      </Section>
      <div className={classes.foot}>
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">
            {input.modelIds.length === 0
              ? 'Tick at least one model.'
              : input.deviceIds.length === 0
                ? 'Tick at least one device.'
                : `${formatCount(cells)} ${cells === 1 ? 'cell' : 'cells'}. For a verdict between close builds make a comparison, which measures in turns.`}
          </span>
          <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="matrix-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}
