import { Button, Group, Modal, Stack } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'wouter'
import type { Device } from '../../../contract/device.ts'
import { benchSettingsSchema } from '../../../contract/measurement.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { fieldErrors } from '../../forms/field-errors.ts'
import { settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { deviceLabel } from '../../text/device-label.ts'
import classes from './benchmark-dialog.module.css'

/** The settings worth changing here; the others keep their defaults. */
const fields = settingFields(benchSettingsSchema.pick({ batch: true, threads: true, runs: true }))

/** Chooses a model to be measured on a device. */
export function BenchmarkDialog({ device, onClose }: { device: Device; onClose: () => void }) {
  const { data: models } = useCall('models.list', {})
  const [modelId, setModelId] = useState<string | null>(null)
  const [settings, setSettings] = useState<Record<string, unknown>>({})
  const start = useAction('bench.start', { showsError: true })
  const input = { modelId: modelId ?? '', deviceId: device.id, settings }
  const errors = fieldErrors(procedures['bench.start'].input, input)
  return (
    <Modal opened onClose={onClose} title={`Benchmark on ${deviceLabel(device)}`}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          start.mutate(input, { onSuccess: onClose })
        }}
      >
        <Stack gap="sm">
          <ModelSelect label="Model" models={models ?? []} value={modelId} onChange={setModelId} autoFocus testId="benchmark-model" />
          <div className={classes.settings}>
            {fields.map((field) => (
              <SettingInput
                key={field.key}
                field={field}
                value={settings[field.key]}
                error={errors[`settings.${field.key}`]}
                onChange={(value) => setSettings({ ...settings, [field.key]: value })}
              />
            ))}
          </div>
          <span className="es-dim">
            Latency of one inference after another. Batches, load and sweeps are measured on the page{' '}
            <Link href="/benchmarks/new" className={classes.link}>
              Benchmarks
            </Link>
            ; what a build costs and brings, on the page Compare.
          </span>
          {start.error ? <ErrorNotice error={start.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={Object.keys(errors).length > 0} loading={start.isPending} data-testid="benchmark-start">
              Start
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
