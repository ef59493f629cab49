import { Button, Group, Select } from '@mantine/core'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { LinkButton } from '../../components/link-button.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import { settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { useDraft } from '../../hooks/use-draft.ts'
import { deviceLabel } from '../../text/device-label.ts'
import classes from './run-form.module.css'

const fields = settingFields(procedures['parity.start'].input.pick({ samples: true, threads: true }))
const explained: Readonly<Record<string, string>> = { samples: 'run on both machines', threads: 'inside an operator' }

interface ParityDraft {
  readonly modelId: string | null
  readonly deviceId: string | null
  readonly datasetId: string | null
  readonly settings: Readonly<Record<string, unknown>>
}

/** Chooses which model is compared on which device. */
export function NewParity({ modelId }: { modelId: string | null }) {
  const [, navigate] = useLocation()
  const { data: models } = useCall('models.list', {})
  const { data: devices } = useCall('devices.list', {})
  const { data: datasets } = useCall('datasets.list', {})
  const [draft, setDraft] = useDraft<ParityDraft>('parity', () => ({ modelId: null, deviceId: null, datasetId: null, settings: {} }))
  const start = useAction('parity.start', { showsError: true })
  useEffect(() => {
    if (modelId !== null) setDraft((previous) => ({ ...previous, modelId }))
  }, [modelId, setDraft])
  const others = (devices ?? []).filter(({ id }) => id !== LOCAL_DEVICE_ID)
  const only = others.length === 1 ? (others[0]?.id ?? null) : null
  const deviceId = others.some(({ id }) => id === draft.deviceId) ? draft.deviceId : only
  const datasetId = (datasets ?? []).some(({ id }) => id === draft.datasetId) ? draft.datasetId : null
  const input = {
    ...draft.settings,
    modelId: draft.modelId ?? '',
    deviceId: deviceId ?? '',
    ...(datasetId === null ? {} : { datasetId }),
  }
  const errors = fieldErrors(procedures['parity.start'].input, input)
  const ready = Object.keys(errors).length === 0
  return (
    <form
      className={classes.form}
      aria-label="New parity check"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate(input, { onSuccess: ({ jobId }) => navigate(`/benchmarks/parities/${jobId}`) })
      }}
    >
      <Section title="What and where">
        <div className={classes.pair}>
          <ModelSelect
            label="Model"
            description="A model or a build"
            models={models ?? []}
            value={draft.modelId}
            onChange={(id) => setDraft({ ...draft, modelId: id })}
            testId="parity-model"
          />
          <Select
            label="Device"
            description="Its outputs are compared with this computer’s"
            data={others.map((device) => ({ value: device.id, label: deviceLabel(device), disabled: device.report?.fits === false }))}
            value={deviceId}
            onChange={(id) => setDraft({ ...draft, deviceId: id })}
            placeholder={others.length === 0 ? 'Add a device first' : 'Choose a device'}
            allowDeselect={false}
            data-testid="parity-device"
          />
          <Select
            label="Dataset"
            description="Samples to run on both machines"
            data={(datasets ?? []).map(({ id, name, report }) => ({
              value: id,
              label: `${plainText(name, 60)} (${formatCount(report.samples)})`,
            }))}
            value={datasetId}
            onChange={(id) => setDraft({ ...draft, datasetId: id })}
            placeholder="Made-up inputs"
            clearable
            data-testid="parity-dataset"
          />
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
            {devices && others.length === 0 ? (
              <LinkButton href="/devices" variant="default">
                Add a device
              </LinkButton>
            ) : draft.modelId === null ? (
              'Choose a model.'
            ) : deviceId === null ? (
              'Choose a device.'
            ) : (
              'The same file runs on the same samples on both machines, layer by layer.'
            )}
          </span>
          <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="parity-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}
