import { Button, Group, NumberInput, Select } from '@mantine/core'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import { LOCAL_DEVICE_ID } from '../../../contract/device.ts'
import { procedures } from '../../../contract/procedures.ts'
import { useAction } from '../../backend/use-action.ts'
import { useCall } from '../../backend/use-call.ts'
import { DeviceSelect } from '../../components/device-select.tsx'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { ModelSelect } from '../../components/model-select.tsx'
import { Section } from '../../components/section.tsx'
import { formatCount } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { fieldErrors } from '../../forms/field-errors.ts'
import { useDraft } from '../../hooks/use-draft.ts'
import classes from './run-form.module.css'

interface EvaluationDraft {
  readonly modelId: string | null
  readonly datasetId: string | null
  readonly baselineId: string | null
  readonly deviceId: string
  readonly batch: number | undefined
  readonly threads: number | undefined
}

function emptyDraft(): EvaluationDraft {
  return { modelId: null, datasetId: null, baselineId: null, deviceId: LOCAL_DEVICE_ID, batch: undefined, threads: undefined }
}

/** What an evaluation on a dataset will tell. */
function purpose(dataset: Dataset | undefined, baselineId: string | null): string {
  if (!dataset) return 'Choose a dataset.'
  const compared = baselineId === null ? '' : ' Outputs are compared with the baseline’s as well, sample by sample.'
  if (dataset.report.labelled) return `Accuracy, classes and confidence on ${formatCount(dataset.report.samples)} samples.${compared}`
  if (dataset.report.targets) return `Errors of predicted values on ${formatCount(dataset.report.samples)} samples.${compared}`
  return baselineId === null
    ? 'This dataset has no labels: choose a baseline to compare outputs with.'
    : 'How far outputs are from the baseline’s.'
}

/** Chooses what is evaluated on what. */
export function NewEvaluation({ modelId }: { modelId: string | null }) {
  const [, navigate] = useLocation()
  const { data: models } = useCall('models.list', {})
  const { data: datasets } = useCall('datasets.list', {})
  const [draft, setDraft] = useDraft<EvaluationDraft>('evaluation', emptyDraft)
  const start = useAction('evaluate.start', { showsError: true })
  useEffect(() => {
    if (modelId !== null) setDraft((previous) => ({ ...previous, modelId }))
  }, [modelId, setDraft])
  const dataset = datasets?.find(({ id }) => id === draft.datasetId)
  const input = {
    modelId: draft.modelId ?? '',
    datasetId: dataset?.id ?? '',
    deviceId: draft.deviceId,
    ...(draft.baselineId ? { baselineId: draft.baselineId } : {}),
    ...(draft.batch === undefined ? {} : { batch: draft.batch }),
    ...(draft.threads === undefined ? {} : { threads: draft.threads }),
  }
  const errors = fieldErrors(procedures['evaluate.start'].input, input)
  const unlabelled = dataset !== undefined && !dataset.report.labelled && dataset.report.targets === null
  const ready = Object.keys(errors).length === 0 && !(unlabelled && draft.baselineId === null)
  return (
    <form
      className={classes.form}
      aria-label="New evaluation"
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate(input, { onSuccess: ({ jobId }) => navigate(`/benchmarks/evaluations/${jobId}`) })
      }}
    >
      <Section title="What">
        <div className={classes.pair}>
          <ModelSelect
            label="Model"
            models={models ?? []}
            value={draft.modelId}
            onChange={(id) => setDraft({ ...draft, modelId: id, baselineId: draft.baselineId === id ? null : draft.baselineId })}
            testId="evaluate-model"
          />
          <Select
            label="Dataset"
            data={(datasets ?? []).map(({ id, name, report }) => ({
              value: id,
              label: `${plainText(name, 60)} (${formatCount(report.samples)})`,
            }))}
            value={dataset?.id ?? null}
            onChange={(id) => setDraft({ ...draft, datasetId: id })}
            placeholder={datasets?.length === 0 ? 'Import a dataset first' : 'Choose a dataset'}
            allowDeselect={false}
            data-testid="evaluate-dataset"
          />
          <Select
            label="Baseline"
            description="Optional: another model on the same samples"
            data={(models ?? [])
              .filter(({ id }) => id !== draft.modelId)
              .map(({ id, name }) => ({ value: id, label: plainText(name, 80) }))}
            value={draft.baselineId}
            onChange={(id) => setDraft({ ...draft, baselineId: id })}
            placeholder="None"
            clearable
            data-testid="evaluate-baseline"
          />
        </div>
      </Section>
      <Section title="Where and how">
        <div className={classes.pair}>
          <DeviceSelect value={draft.deviceId} onChange={(deviceId) => setDraft({ ...draft, deviceId })} testId="evaluate-device" />
          <NumberInput
            label="Batch"
            description="samples in one inference, where the model allows"
            value={draft.batch ?? 32}
            onChange={(value) => setDraft({ ...draft, batch: value === '' ? undefined : Number(value) })}
            error={errors.batch}
            allowDecimal={false}
          />
          <NumberInput
            label="Threads"
            description="inside an operator"
            value={draft.threads ?? 1}
            onChange={(value) => setDraft({ ...draft, threads: value === '' ? undefined : Number(value) })}
            error={errors.threads}
            allowDecimal={false}
          />
        </div>
      </Section>
      <div className={classes.foot}>
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">{draft.modelId === null ? 'Choose a model.' : purpose(dataset, draft.baselineId)}</span>
          <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="evaluate-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}
