import { ActionIcon, Button, NumberInput, Select, Tooltip } from '@mantine/core'
import { IconArrowsShuffle, IconSend } from '@tabler/icons-react'
import { useState } from 'react'
import type { Deployment } from '../../../../contract/deployment.ts'
import { useAction } from '../../../backend/use-action.ts'
import { useCall } from '../../../backend/use-call.ts'
import { ErrorNotice } from '../../../components/error-notice.tsx'
import { formatCount } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import { TryAnswer } from './try-answer.tsx'
import classes from './try-it.module.css'

/** Sends a sample of a dataset to the service and shows what it answers. */
export function TrySample({ deployment, running }: { deployment: Deployment; running: boolean }) {
  const { data: datasets } = useCall('datasets.list', {})
  const [datasetId, setDatasetId] = useState<string | null>(null)
  const [index, setIndex] = useState<number | string>(0)
  const predict = useAction('deployments.predict', { showsError: true })
  const { data: models } = useCall('models.list', {})
  const model = models?.find(({ id }) => id === deployment.modelId)
  const dataset = datasets?.find(({ id }) => id === (datasetId ?? deployment.datasetId)) ?? datasets?.[0]
  const samples = dataset?.report.samples ?? 0
  const sample = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < samples ? index : null

  function send(at: number): void {
    if (dataset) predict.mutate({ id: deployment.id, datasetId: dataset.id, index: at })
  }

  return (
    <>
      <form
        className={classes.sample}
        onSubmit={(event) => {
          event.preventDefault()
          if (sample !== null) send(sample)
        }}
      >
        <Select
          label="Dataset"
          data={(datasets ?? []).map(({ id, name }) => ({ value: id, label: plainText(name, 60) }))}
          value={dataset?.id ?? null}
          onChange={setDatasetId}
          allowDeselect={false}
          placeholder="Import a dataset first"
          data-testid="try-dataset"
        />
        <NumberInput
          label="Sample"
          value={index}
          onChange={setIndex}
          min={0}
          max={Math.max(0, samples - 1)}
          allowDecimal={false}
          error={sample === null && dataset !== undefined}
          data-testid="try-index"
        />
        <Tooltip label={`Any of ${formatCount(samples)}`}>
          <ActionIcon
            variant="default"
            size={30}
            aria-label="Any sample"
            disabled={!running || samples === 0}
            onClick={() => {
              const any = Math.floor(Math.random() * samples)
              setIndex(any)
              send(any)
            }}
          >
            <IconArrowsShuffle size={15} />
          </ActionIcon>
        </Tooltip>
        <Button
          type="submit"
          leftSection={<IconSend size={14} />}
          disabled={!running || sample === null}
          loading={predict.isPending}
          data-testid="try-send"
        >
          Send
        </Button>
      </form>
      {predict.error ? (
        <ErrorNotice error={predict.error} onClose={predict.reset} />
      ) : predict.data ? (
        <TryAnswer answer={predict.data} expected={predict.data.expected} labels={model?.report.labels ?? null} />
      ) : null}
    </>
  )
}
