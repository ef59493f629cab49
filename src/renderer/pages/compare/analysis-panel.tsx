import { Button, Group, Loader, NumberInput } from '@mantine/core'
import { IconArrowLeft, IconRefresh } from '@tabler/icons-react'
import { useState } from 'react'
import type { Comparison, ComparisonRow } from '../../../contract/measurement.ts'
import { storedError } from '../../backend/backend-error.ts'
import { useAction } from '../../backend/use-action.ts'
import { isActive } from '../../backend/use-jobs.ts'
import detailClasses from '../../components/detail.module.css'
import { ErrorNotice } from '../../components/error-notice.tsx'
import { JobProgress } from '../../components/job-progress.tsx'
import { Section } from '../../components/section.tsx'
import { formatExactMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { AccuracyExplanationView } from './accuracy-explanation-view.tsx'
import type { AnalysedRow } from './analysed-row.ts'
import { AnalysisDataset } from './analysis-dataset.tsx'
import classes from './analysis-panel.module.css'
import { ExplanationBody } from './explanation-body.tsx'
import { LayersView } from './layers-view.tsx'
import { useAnalysis } from './use-analysis.ts'

interface AnalysisPanelProps {
  readonly comparison: Comparison
  readonly row: ComparisonRow
  readonly analysed: AnalysedRow
  readonly onAnalyse: (analysed: AnalysedRow | null) => void
}

const texts = {
  layers: {
    title: 'Layer by layer',
    purpose:
      'Profiles both models in turns, matches their layers, and compares their tensors: time, precision and signal to noise of every layer.',
  },
  accuracy: {
    title: 'Why less accurate',
    purpose: 'Runs both models on the dataset and says where answers get worse: layer by layer, class by class, sample by sample.',
  },
  slowdown: {
    title: 'Why this speed',
    purpose: 'Profiles both models beside each other and says, node by node, where time is lost or won.',
  },
} as const

/** A build of a comparison looked into: what is stored, or the form to measure it. */
export function AnalysisPanel({ comparison, row, analysed, onAnalyse }: AnalysisPanelProps) {
  const { kind, modelId } = analysed
  const { baselineId, deviceId, settings } = comparison
  const { analysis, job, isPending, error } = useAnalysis(kind, { modelId, baselineId, deviceId })
  const [again, setAgain] = useState(false)
  const running = job !== undefined && isActive(job)
  const form = !running && !isPending && (again || !analysis)
  return (
    <div className={detailClasses.sections} data-testid={`analysis-${kind}`} data-model={plainText(row.model)}>
      <div className={classes.head}>
        <Button variant="subtle" leftSection={<IconArrowLeft size={14} />} onClick={() => onAnalyse(null)} data-testid="analysis-back">
          Back to the comparison
        </Button>
        <h3 className={`${classes.title} es-ellipsis`}>
          {texts[kind].title}: {plainText(row.model, 60)} <span className="es-dim">beside {plainText(comparison.baseline, 60)}</span>
        </h3>
        {analysis && !running ? (
          <>
            <span className={`${classes.moment} es-dim es-num`}>{formatExactMoment(analysis.createdAt)}</span>
            <Button variant="default" leftSection={<IconRefresh size={14} />} onClick={() => setAgain(!again)} aria-expanded={again}>
              Measure again
            </Button>
          </>
        ) : null}
      </div>
      {error ? <ErrorNotice error={error} /> : null}
      {isPending ? <Loader size="sm" /> : null}
      {running ? <JobProgress job={job} /> : null}
      {job?.error ? <ErrorNotice error={storedError(job.error)} /> : null}
      {form ? (
        <AnalysisForm comparison={comparison} analysed={analysed} threads={settings.threads} onStarted={() => setAgain(false)} />
      ) : null}
      {analysis?.kind === 'layers' ? (
        <LayersView comparison={analysis.result} baseline={comparison.baseline} build={row.model} evidence={analysed.layers ?? []} />
      ) : null}
      {analysis?.kind === 'accuracy' ? (
        <AccuracyExplanationView
          explanation={analysis.result}
          datasetId={analysis.datasetId}
          onLayers={(layers) => onAnalyse({ kind: 'layers', modelId, layers })}
        />
      ) : null}
      {analysis?.kind === 'slowdown' ? (
        <Section title="Where the time goes" flush>
          <div className={classes.explanation}>
            <ExplanationBody explanation={analysis.result} onLayers={(layers) => onAnalyse({ kind: 'layers', modelId, layers })} />
          </div>
        </Section>
      ) : null}
    </div>
  )
}

interface AnalysisFormProps {
  readonly comparison: Comparison
  readonly analysed: AnalysedRow
  readonly threads: number
  readonly onStarted: () => void
}

/** What an analysis is measured with. */
function AnalysisForm({ comparison: { baselineId, deviceId, datasetId, settings }, analysed, threads, onStarted }: AnalysisFormProps) {
  const { kind, modelId } = analysed
  const [dataset, setDataset] = useState<string | null>(datasetId)
  const [samples, setSamples] = useState<number | string>(kind === 'layers' ? 8 : 64)
  const layers = useAction('layers.start', { showsError: true })
  const accuracy = useAction('explainAccuracy.start', { showsError: true })
  const slowdown = useAction('explain.start', { showsError: true })
  const error = layers.error ?? accuracy.error ?? slowdown.error
  const most = kind === 'layers' ? 256 : 1000
  const counted = typeof samples === 'number' && Number.isInteger(samples) && samples >= 1 && samples <= most
  const ready = kind === 'slowdown' || (counted && (kind === 'layers' || dataset !== null))
  function begin(): void {
    const common = { baselineId, modelId, deviceId, threads }
    const batch = settings.scenario === 'batch' || settings.scenario === 'offline' ? settings.batch : 1
    const options = { onSuccess: onStarted }
    if (kind === 'slowdown') slowdown.mutate({ ...common, batch }, options)
    else if (kind === 'layers')
      layers.mutate({ ...common, batch, samples: Number(samples), ...(dataset ? { datasetId: dataset } : {}) }, options)
    else if (dataset) accuracy.mutate({ ...common, datasetId: dataset, samples: Number(samples) }, options)
  }
  return (
    <Section title={texts[kind].title}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault()
          if (ready) begin()
        }}
      >
        <p className="es-dim">{texts[kind].purpose}</p>
        {kind === 'slowdown' ? null : (
          <div className={classes.fields}>
            <AnalysisDataset value={dataset} onChange={setDataset} optional={kind === 'layers'} />
            <NumberInput
              label="Samples"
              description="whose tensors are compared"
              value={samples}
              onChange={setSamples}
              min={1}
              max={most}
              allowDecimal={false}
              error={counted ? undefined : `1 to ${most}`}
              data-testid="analysis-samples"
            />
          </div>
        )}
        {error ? <ErrorNotice error={error} /> : null}
        <Group justify="flex-end">
          <Button
            type="submit"
            disabled={!ready}
            loading={layers.isPending || accuracy.isPending || slowdown.isPending}
            data-testid="analysis-start"
          >
            Start
          </Button>
        </Group>
      </form>
    </Section>
  )
}
