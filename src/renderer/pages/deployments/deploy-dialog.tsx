import { Button, Group, Modal, NumberInput, Select, Stack, TextInput } from '@mantine/core'
import { useState } from 'react'
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

/** Stands for "no preprocessing" in a select, whose values are strings. */
const AS_THEY_ARE = 'as-they-are'

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

  // The preprocessing of the data the model was evaluated with is the right one more often than not.
  const suggested = evaluations.data?.[0]?.datasetId ?? (datasets.data?.length === 1 ? datasets.data[0]?.id : undefined) ?? AS_THEY_ARE
  const dataset = datasets.data?.find(({ id }) => id === (preparedLike ?? suggested))
  const input = {
    modelId: chosen ?? '',
    deviceId,
    ...(service.trim() ? { service: service.trim() } : {}),
    ...(port === '' ? {} : { port: Number(port) }),
    ...(dataset && Object.keys(dataset.preprocessing).length > 0 ? { preprocessing: dataset.preprocessing } : {}),
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
            description={dataset ? preprocessingText(dataset.preprocessing) : 'Values reach the model as they were sent.'}
            data={[
              { value: AS_THEY_ARE, label: 'Not at all: clients send model inputs' },
              ...(datasets.data ?? []).map(({ id, name }) => ({ value: id, label: `Like the dataset ${plainText(name, 60)}` })),
            ]}
            value={dataset?.id ?? AS_THEY_ARE}
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
