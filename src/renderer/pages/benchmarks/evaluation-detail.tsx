import { Button } from '@mantine/core'
import { IconFileExport, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { Link, useLocation } from 'wouter'
import type { Evaluation } from '../../../contract/evaluation.ts'
import { useCall } from '../../backend/use-call.ts'
import { ConfusionChart } from '../../charts/confusion-chart.tsx'
import { ReliabilityChart } from '../../charts/reliability-chart.tsx'
import { ResidualChart } from '../../charts/residual-chart.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatSpan } from '../../format/durations.ts'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { environmentFacts } from '../../text/environment-facts.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import { ClassTable } from './class-table.tsx'
import { EvaluationMetrics } from './evaluation-metrics.tsx'
import { OutputErrors } from './output-errors.tsx'
import { ParityTable } from './parity-table.tsx'
import classes from './runs.module.css'
import { useNames } from './use-names.ts'
import { WorstSamples } from './worst-samples.tsx'

interface EvaluationDetailProps {
  readonly evaluation: Evaluation
  /** All evaluations, to set another one beside it. */
  readonly evaluations: readonly Evaluation[]
}

/** One evaluation: metrics with intervals, classes, confidence, errors, and the samples that deserve a look. */
export function EvaluationDetail({ evaluation, evaluations }: EvaluationDetailProps) {
  const [, navigate] = useLocation()
  const names = useNames()
  const top = useTopOnMount<HTMLDivElement>()
  const { exportReport, isPending } = useExportReport()
  const { data: datasets } = useCall('datasets.list', {})
  const { data: models } = useCall('models.list', {})
  const [looked, setLooked] = useState<number | null>(null)
  const classNames =
    datasets?.find(({ id }) => id === evaluation.datasetId)?.classNames ??
    models?.find(({ id }) => id === evaluation.modelId)?.report.labels
  const className = (index: number) => (index < 0 ? 'no answer' : plainText(classNames?.[index] ?? `class ${index}`, 60))
  const { classification, regression, parity } = evaluation
  const model = names.model(evaluation.modelId)
  return (
    <div
      ref={top}
      className={detailClasses.detail}
      data-testid="evaluation-detail"
      data-evaluation-id={evaluation.id}
      data-task={evaluation.task}
    >
      <DetailHeader
        title={model}
        subtitle={
          <>
            <span>{plainText(evaluation.datasetName, 80)}</span>
            <span>{names.device(evaluation.deviceId)}</span>
            <span>{formatExactMoment(evaluation.createdAt)}</span>
            {evaluation.comparisonId ? (
              <Link className={classes.link} href={`/compare/${evaluation.comparisonId}`}>
                part of a comparison
              </Link>
            ) : null}
          </>
        }
        actions={
          <>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`${model} on ${plainText(evaluation.datasetName, 60)}`, { evaluationIds: [evaluation.id] })}
            >
              Export report
            </Button>
            <Button
              variant="subtle"
              color="gray"
              px={8}
              onClick={() => navigate('/benchmarks/evaluations')}
              aria-label="Close the evaluation"
            >
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <EvaluationMetrics evaluation={evaluation} />
        {parity ? <ParityTable parity={parity} baseline={parity.baselineModelId ? names.model(parity.baselineModelId) : null} /> : null}
        <div className={classes.charts}>
          {classification?.confusion ? (
            <ConfusionChart
              classes={classification.classes}
              confusion={classification.confusion}
              className={className}
              onChoose={(label) => {
                setLooked(label)
                document.getElementById('worst-samples')?.scrollIntoView({ block: 'start' })
              }}
            />
          ) : null}
          {classification?.calibration ? (
            <ReliabilityChart calibration={classification.calibration} error={evaluation.metrics.calibrationError ?? null} />
          ) : null}
          {regression ? <ResidualChart residuals={regression.residuals} /> : null}
        </div>
        {regression && regression.perOutput.length > 1 ? <OutputErrors regression={regression} /> : null}
        {classification ? <ClassTable classification={classification} className={className} onChoose={setLooked} /> : null}
        <WorstSamples
          evaluation={evaluation}
          evaluations={evaluations}
          className={className}
          lookedClass={looked}
          onLook={setLooked}
          hasBaseline={parity !== null}
        />
        <Section title="Environment" aside={`${formatCounted(evaluation.samples, 'sample')} in ${formatSpan(evaluation.durationMs)}`}>
          <Facts facts={environmentFacts(evaluation.environment)} />
        </Section>
      </div>
    </div>
  )
}
