import { ActionIcon, Button, NumberInput, Select, Tooltip } from '@mantine/core'
import { IconArrowsShuffle, IconCheck, IconSend, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import type { Deployment } from '../../../contract/deployment.ts'
import type { ProcedureOutput } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { CodeBlock } from '../../components/code-block.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { Section } from '../../components/section.tsx'
import { compactJson } from '../../format/compact-json.ts'
import { formatMs } from '../../format/durations.ts'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatRoughPercent } from '../../format/shares.ts'
import classes from './deployment-detail.module.css'
import { type PredictedClass, predictedClass } from './predicted-class.ts'

/** Sends a sample of a dataset to the service and shows what it answers. */
export function TryService({ deployment, running }: { deployment: Deployment; running: boolean }) {
  const { data: datasets } = useCall('datasets.list', {})
  const [datasetId, setDatasetId] = useState<string | null>(null)
  const [index, setIndex] = useState<number | string>(0)
  const predict = useAction('deployments.predict', { showsError: true })
  const { data: models } = useCall('models.list', {})
  const model = models?.find(({ id }) => id === deployment.modelId)
  const dataset = datasets?.find(({ id }) => id === datasetId) ?? datasets?.[0]
  const samples = dataset?.report.samples ?? 0
  const sample = typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < samples ? index : null

  function send(at: number): void {
    if (dataset) predict.mutate({ id: deployment.id, datasetId: dataset.id, index: at })
  }

  return (
    <Section title="Try it" aside="POST /predict">
      <form
        className={classes.form}
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
        <div className={classes.answer}>
          <ErrorNotice error={predict.error} onClose={predict.reset} />
        </div>
      ) : predict.data ? (
        <Answer answer={predict.data} labels={model?.report.labels ?? null} />
      ) : null}
    </Section>
  )
}

/** What came back: predicted against expected, the time it took, the JSON. */
function Answer({ answer, labels }: { answer: ProcedureOutput<'deployments.predict'>; labels: readonly string[] | null }) {
  const predicted = predictedClass(answer.response)
  const right = predicted !== null && answer.expected !== null ? predicted.index === answer.expected : null
  return (
    <div className={classes.answer} data-testid="try-answer" data-status={answer.httpStatus} data-predicted={predicted?.index ?? ''}>
      <dl className={classes.verdict}>
        <div>
          <dt>Predicted</dt>
          <dd className={right === null ? undefined : right ? classes.match : classes.mismatch}>
            {right === null ? null : right ? <IconCheck size={14} aria-label="right" /> : <IconX size={14} aria-label="wrong" />}
            {predicted === null ? 'no class' : predictionText(predicted)}
          </dd>
        </div>
        <div>
          <dt>Expected</dt>
          <dd>{answer.expected === null ? 'no label' : classText(answer.expected, labels?.[answer.expected] ?? null)}</dd>
        </div>
        <div>
          <dt>Round trip</dt>
          <dd>{formatMs(answer.roundTripMs)}</dd>
        </div>
        <div>
          <dt>HTTP</dt>
          <dd>{answer.httpStatus}</dd>
        </div>
      </dl>
      <CodeBlock text={compactJson(answer.response)} what="response" maxHeight={220} testId="try-response" />
    </div>
  )
}

function predictionText({ index, label, confidence }: PredictedClass): string {
  const name = classText(index, label)
  return confidence === null ? name : `${name}, ${formatRoughPercent(confidence)}`
}

function classText(index: number, label: string | null): string {
  return label === null ? `class ${index}` : `${plainText(label, 60)} (${index})`
}
