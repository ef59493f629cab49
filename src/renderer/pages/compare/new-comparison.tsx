import { Alert, Button, Group, Select } from '@mantine/core'
import { IconInfoCircle } from '@tabler/icons-react'
import { useEffect } from 'react'
import { useLocation } from 'wouter'
import type { Dataset } from '../../../contract/dataset.ts'
import type { Model } from '../../../contract/model.ts'
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
import { tensorRtRefusal } from '../../text/tensorrt-refusal.ts'
import { compareInput, emptyCompareDraft, withBaseline, withModel, withoutTensorRt } from './compare-draft.ts'
import { MeasurementSettings } from './measurement-settings.tsx'
import { ModelChecklist } from './model-checklist.tsx'
import classes from './new-comparison.module.css'

interface NewComparisonProps {
  readonly models: readonly Model[]
  /** Preset by the address; null leaves the form as it was. */
  readonly baselineId: string | null
  readonly modelId: string | null
}

/** Chooses what is measured against what, where, and how. */
export function NewComparison({ models, baselineId, modelId }: NewComparisonProps) {
  const [, navigate] = useLocation()
  const [chosen, setDraft] = useDraft('compare', emptyCompareDraft)
  const { data: devices } = useCall('devices.list', {})
  const refusal = tensorRtRefusal(devices?.find(({ id }) => id === chosen.deviceId))
  const draft = refusal === null ? chosen : withoutTensorRt(chosen)
  const { data: datasets } = useCall('datasets.list', {})
  const start = useAction('compare.start', { showsError: true })
  useEffect(() => {
    if (baselineId === null) return
    setDraft((previous) => ({ ...withBaseline(previous, baselineId), modelIds: modelId === null ? [] : [modelId] }))
  }, [baselineId, modelId, setDraft])

  const known = datasets ?? []
  // The largest labelled dataset is the test set more often than not.
  const labelled = known.filter(({ report }) => report.labelled || report.targets !== null)
  const suggested = [...labelled].sort((a, b) => b.report.samples - a.report.samples)[0]?.id ?? null
  const datasetId = draft.datasetChosen ? draft.datasetId : suggested
  const input = compareInput({ ...draft, datasetId })
  const errors = fieldErrors(procedures['compare.start'].input, input)
  const ready = Object.keys(errors).length === 0 && draft.modelIds.length > 0

  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault()
        if (ready) start.mutate(input, { onSuccess: ({ jobId }) => navigate(`/compare/${jobId}`) })
      }}
    >
      <Section title="What">
        <div className={classes.fields}>
          <ModelSelect
            label="Baseline"
            description="Every difference is measured against it."
            models={models}
            value={draft.baselineId}
            onChange={(id) => setDraft(withBaseline(draft, id))}
            testId="compare-baseline"
          />
          <ModelChecklist
            models={models}
            baselineId={draft.baselineId}
            ticked={draft.modelIds}
            onTick={(id, ticked) => setDraft(withModel(draft, id, ticked))}
          />
        </div>
      </Section>
      <Section title="Where and on what">
        <div className={classes.pair}>
          <DeviceSelect value={draft.deviceId} onChange={(deviceId) => setDraft({ ...draft, deviceId })} testId="compare-device" />
          <Select
            label="Dataset"
            description={purposeOf(known.find(({ id }) => id === datasetId))}
            data={known.map(({ id, name, report }) => ({ value: id, label: `${plainText(name, 60)} (${formatCount(report.samples)})` }))}
            value={datasetId}
            onChange={(id) => setDraft({ ...draft, datasetId: id, datasetChosen: true })}
            placeholder="No dataset: latency only"
            clearable
            data-testid="compare-dataset"
          />
        </div>
        {datasetId === null ? (
          <Alert variant="light" color="gray" icon={<IconInfoCircle size={16} />} mt="sm" p="xs">
            Without a dataset only latency, memory and size are compared; what a build costs in accuracy stays unknown.
          </Alert>
        ) : null}
      </Section>
      <MeasurementSettings
        settings={draft.settings}
        onChange={(settings) => setDraft({ ...draft, settings })}
        errors={errors}
        tensorRtRefusal={refusal}
      />
      <div className={classes.foot}>
        {start.error ? <ErrorNotice error={start.error} onClose={start.reset} /> : null}
        <Group justify="space-between" wrap="nowrap">
          <span className="es-dim">
            {draft.baselineId === null
              ? 'Choose a baseline.'
              : draft.modelIds.length === 0
                ? 'Tick at least one model to compare with it.'
                : ''}
          </span>
          <Button type="submit" size="sm" disabled={!ready} loading={start.isPending} data-testid="compare-start">
            Start
          </Button>
        </Group>
      </div>
    </form>
  )
}

/** What a dataset tells about builds. */
function purposeOf(dataset: Dataset | undefined): string {
  if (!dataset) return 'Samples with labels or values, for accuracy'
  if (dataset.report.labelled) return 'Accuracy on its labels'
  return dataset.report.targets ? 'Errors of predicted values' : 'No labels: outputs are compared with the baseline’s'
}
