import { Button, Group, Modal, NumberInput, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
import { PREPROCESSING_KEY, parsePreprocessing } from '../../../contract/carried-preprocessing.ts'
import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { DeviceSelect } from '../../components/device-select.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { plainText } from '../../format/plain-text.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import { preprocessingText } from '../../text/preprocessing-text.ts'
import classes from './deploy-dialog.module.css'

/** Stand for "no preprocessing" and "what the build carries" in a select, whose values are strings. */
const AS_THEY_ARE = 'as-they-are'
const CARRIED = 'carried'

const UNCHANGED = 'Values reach the model as they were sent.'

interface DeployDialogProps {
  readonly modelId: string | null
  readonly onStarted: (jobId: string) => void
  readonly onClose: () => void
}

/** Model, device, name, port and preprocessing of a new service. */
export function DeployDialog({ modelId, onStarted, onClose }: DeployDialogProps) {
  const models = useCall('models.list', {})
  const datasets = useCall('datasets.list', {})
  const [chosen, setChosen] = useState(modelId)
  const evaluations = useCall('evaluations.list', chosen === null ? {} : { modelId: chosen }, { enabled: chosen !== null })
  const [deviceId, setDeviceId] = useState<string>(LOCAL_DEVICE_ID)
  const [service, setService] = useState('')
  const [port, setPort] = useState<number | string>('')
  const [preparedLike, setPreparedLike] = useState<string | null>(null)
  const start = useAction('deploy.start', { showsError: true })

  const carried = models.data?.find(({ id }) => id === chosen)?.report.metadata[PREPROCESSING_KEY]
  // What a build was calibrated with is right; else that of the data the model was evaluated with more often than not.
  const suggested =
    (carried === undefined ? evaluations.data?.[0]?.datasetId : CARRIED) ??
    (datasets.data?.length === 1 ? datasets.data[0]?.id : undefined) ??
    AS_THEY_ARE
  const wanted = preparedLike === CARRIED && carried === undefined ? suggested : (preparedLike ?? suggested)
  const dataset = datasets.data?.find(({ id }) => id === wanted)
  const isCarried = wanted === CARRIED
  const input = {
    modelId: chosen ?? '',
    deviceId,
    ...(service.trim() ? { service: service.trim() } : {}),
    ...(port === '' ? {} : { port: Number(port) }),
    ...(isCarried ? {} : { preprocessing: dataset?.preprocessing ?? {} }),
  }
  const errors = fieldErrors(procedures['deploy.start'].input, input)
  return (
    <Modal opened onClose={onClose} title="Deploy a model" size={520}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          start.mutate(input, { onSuccess: ({ jobId }) => onStarted(jobId) })
        }}
      >
        <Stack gap="sm">
          <ModelSelect
            label="Model"
            models={models.data ?? []}
            value={chosen}
            onChange={setChosen}
            autoFocus={modelId === null}
            testId="deploy-model"
          />
          <DeviceSelect value={deviceId} onChange={setDeviceId} testId="deploy-device" />
          <div className={classes.pair}>
            <TextInput
              label="Service name"
              placeholder="From the model's name"
              value={service}
              onChange={(event) => setService(event.currentTarget.value)}
              error={errors.service}
              data-testid="deploy-service"
              spellCheck={false}
            />
            <NumberInput
              label="Port on the device"
              placeholder="A free one"
              value={port}
              onChange={setPort}
              error={errors.port}
              allowDecimal={false}
              hideControls
              thousandSeparator=""
              data-testid="deploy-port"
            />
          </div>
          <Select
            label="Requests are prepared"
            description={isCarried ? carriedText(carried ?? '') : dataset ? preprocessingText(dataset.preprocessing) : UNCHANGED}
            data={[
              ...(carried === undefined ? [] : [{ value: CARRIED, label: 'As its calibration data was' }]),
              { value: AS_THEY_ARE, label: 'Not at all: clients send model inputs' },
              ...(datasets.data ?? []).map(({ id, name }) => ({ value: id, label: `Like the dataset ${plainText(name, 60)}` })),
            ]}
            value={isCarried ? CARRIED : (dataset?.id ?? AS_THEY_ARE)}
            onChange={setPreparedLike}
            allowDeselect={false}
            data-testid="deploy-preprocessing"
          />
          <span className="es-dim">
            The service listens on loopback of the device, asks for a token, and goes on after you log out. A service of the same name is
            replaced.
          </span>
          {start.error ? <ErrorNotice error={start.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={Object.keys(errors).length > 0} loading={start.isPending} data-testid="deploy-start">
              Deploy
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

/** What a build carries, in words; it may come from anybody. */
function carriedText(text: string): string {
  const preprocessing = parsePreprocessing(text)
  if (!preprocessing) return 'What the model carries cannot be read.'
  return Object.keys(preprocessing).length === 0 ? UNCHANGED : preprocessingText(preprocessing)
}
