import { Autocomplete, Button, Group, Modal, Select, Stack } from '@mantine/core'
import { useState } from 'react'
import type { Deployment } from '../../../../contract/deployment.ts'
import { procedures } from '../../../../contract/procedures.ts'
import { useAction } from '../../../backend/use-action.ts'
import { useCall } from '../../../backend/use-call.ts'
import { DeviceSelect } from '../../../components/device-select.tsx'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { ModelSelect } from '../../../components/model-select.tsx'
import { plainText } from '../../../format/plain-text.ts'
import { fieldErrors } from '../../../forms/field-errors.ts'
import { AdvancedFields } from './advanced-fields.tsx'
import classes from './deploy.module.css'
import { deployInput, existingService, newDeployDraft, withService } from './deploy-draft.ts'
import { GateFields } from './gate-fields.tsx'
import { preprocessingChoice } from './preprocessing-choice.ts'
import { RolloutFields } from './rollout-fields.tsx'

interface DeployDialogProps {
  readonly modelId: string | null
  /** A service that gets a new release; null for any. */
  readonly releaseOf: Deployment | null
  readonly onStarted: (jobId: string) => void
  readonly onClose: () => void
}

/** What is served where, under which name, and how it takes its place: a new service, or a new release of one that is there. */
export function DeployDialog({ modelId, releaseOf, onStarted, onClose }: DeployDialogProps) {
  const models = useCall('models.list', {})
  const datasets = useCall('datasets.list', {})
  const deployments = useCall('deployments.list', {})
  const [edited, setDraft] = useState(() => newDeployDraft(modelId, releaseOf))
  const known = deployments.data ?? []
  const existing = existingService(edited, known)
  const usual = datasets.data?.find(({ id }) => id === existing?.datasetId)?.id
  const draft = { ...edited, datasetId: edited.datasetId === undefined ? usual : edited.datasetId }
  const evaluations = useCall('evaluations.list', draft.modelId === null ? {} : { modelId: draft.modelId }, {
    enabled: draft.modelId !== null,
  })
  const [preparedLike, setPreparedLike] = useState<string | null>(null)
  const start = useAction('deploy.start', { showsError: true })

  const model = models.data?.find(({ id }) => id === draft.modelId)
  const prepared = preprocessingChoice(model, datasets.data ?? [], evaluations.data?.[0]?.datasetId, preparedLike)
  const input = deployInput(draft, existing, prepared.preprocessing)
  const errors = fieldErrors(procedures['deploy.start'].input, input)
  return (
    <Modal opened onClose={onClose} title={releaseOf ? `New release of ${releaseOf.service}` : 'Deploy a model'} size={620}>
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
            value={draft.modelId}
            onChange={(id) => setDraft({ ...draft, modelId: id, embedding: '' })}
            autoFocus={modelId === null}
            testId="deploy-model"
          />
          <div className={classes.pair}>
            <DeviceSelect
              value={draft.deviceId}
              onChange={(deviceId) => setDraft(withService(draft, { deviceId }, known))}
              testId="deploy-device"
            />
            <Autocomplete
              size="xs"
              label="Service"
              description={
                existing
                  ? `New release of ${existing.service}, which serves ${plainText(existing.model, 60)}`
                  : 'A name of its own in addresses and metrics'
              }
              placeholder="From the model's name"
              data={known.filter(({ deviceId }) => deviceId === draft.deviceId).map(({ service }) => service)}
              value={draft.service}
              onChange={(service) => setDraft(withService(draft, { service }, known))}
              error={errors.service}
              data-testid="deploy-service"
              spellCheck={false}
            />
          </div>
          {existing ? (
            <RolloutFields rollout={draft.rollout} onChange={(rollout) => setDraft({ ...draft, rollout })} errors={errors} />
          ) : null}
          <Select
            label="Requests are prepared"
            description={prepared.text}
            data={[...prepared.options]}
            value={prepared.value}
            onChange={setPreparedLike}
            allowDeselect={false}
            data-testid="deploy-preprocessing"
          />
          <GateFields draft={draft} onChange={setDraft} errors={errors} datasets={datasets.data ?? []} />
          <AdvancedFields draft={draft} onChange={setDraft} errors={errors} outputs={model?.report.outputs.map(({ name }) => name) ?? []} />
          <span className="es-dim">
            {existing
              ? 'The version that serves now goes on until the new one has passed its checks; no request is lost.'
              : 'The service asks for a token, and goes on after you log out.'}
          </span>
          {start.error ? <ErrorNotice error={start.error} /> : null}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={Object.keys(errors).length > 0} loading={start.isPending} data-testid="deploy-start">
              {existing ? 'Deploy release' : 'Deploy'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
