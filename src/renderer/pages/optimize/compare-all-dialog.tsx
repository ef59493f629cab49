import { Button, Group, Modal, Select, Stack } from '@mantine/core'
import { useState } from 'react'
import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { benchSettingsSchema } from '../../../contract/measurement.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { DeviceSelect } from '../../components/device-select.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { LabelledDatasetSelect } from '../../components/labelled-dataset-select.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import { settingFields } from '../../forms/setting-fields.ts'
import { SettingInput } from '../../forms/setting-input.tsx'
import { compareAllInput, suggestedDatasets } from './compare-all-input.ts'
import type { OptimizeDraft } from './optimize-draft.ts'
import classes from './optimize-form.module.css'

interface CompareAllDialogProps {
  readonly modelId: string
  /** Target and calibration of the form are taken over. */
  readonly draft: OptimizeDraft
  readonly onClose: () => void
  readonly onStarted: (jobId: string) => void
}

/** The settings worth changing here; the others keep their defaults. */
const fields = [
  ...settingFields(benchSettingsSchema.pick({ runs: true, warmupSeconds: true })),
  ...settingFields(procedures['compareAll.start'].input.pick({ blocks: true })),
]

/** What all recipes are tried with, and where they are measured. */
export function CompareAllDialog({ modelId, draft, onClose, onStarted }: CompareAllDialogProps) {
  const { data: datasets } = useCall('datasets.list', {})
  const suggested = suggestedDatasets(datasets ?? [])
  // Null: taken away by hand; undefined: not touched, so the suggestion counts.
  const [calibrationId, setCalibrationId] = useState<string | null | undefined>(draft.calibrationId ?? undefined)
  const [labelledId, setLabelledId] = useState<string | null | undefined>(draft.labelledId ?? undefined)
  const [deviceId, setDeviceId] = useState<string>(LOCAL_DEVICE_ID)
  const [settings, setSettings] = useState<Record<string, unknown>>({})
  const start = useAction('compareAll.start', { showsError: true })
  const calibration = calibrationId === undefined ? suggested.calibrationId : calibrationId
  const labelled = labelledId === undefined ? suggested.labelledId : labelledId
  const input = compareAllInput({ modelId, target: draft.target, samples: draft.samples, calibration, labelled, deviceId, settings })
  const errors = fieldErrors(procedures['compareAll.start'].input, input)
  return (
    <Modal opened onClose={onClose} title="Compare all recipes" size="lg">
      <Stack gap="sm">
        <span className="es-dim">
          Makes a build by every recipe that makes sense for this model, then measures them all in turns and names the one to take. This
          takes minutes; builds that are made stay, also when you cancel.
        </span>
        <Select
          label="Calibration data"
          description="Without it only recipes that need no samples are tried."
          data={(datasets ?? []).map(({ id, name, report }) => ({
            value: id,
            label: `${plainText(name, 60)} (${formatCount(report.samples)})`,
          }))}
          value={calibration}
          onChange={setCalibrationId}
          placeholder={datasets?.length === 0 ? 'Import a dataset first' : 'No calibration'}
          clearable
          data-testid="compare-all-calibration"
        />
        <LabelledDatasetSelect
          label="Labelled data"
          description="For accuracy. Without it the recommendation only knows how far outputs are from the original's."
          value={labelled}
          onChange={setLabelledId}
          placeholder="No dataset: accuracy is not measured"
          testId="compare-all-dataset"
        />
        <DeviceSelect value={deviceId} onChange={setDeviceId} testId="compare-all-device" />
        <div className={classes.triple}>
          {fields.map((field) => (
            <SettingInput
              key={field.key}
              field={field}
              value={settings[field.key]}
              error={errors[`settings.${field.key}`] ?? errors[field.key]}
              onChange={(value) => setSettings({ ...settings, [field.key]: value })}
            />
          ))}
        </div>
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            disabled={Object.keys(errors).length > 0}
            loading={start.isPending}
            onClick={() => start.mutate(input, { onSuccess: ({ jobId }) => onStarted(jobId) })}
            data-testid="compare-all-start"
          >
            Start
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
