import { Button } from '@mantine/core'
import { IconFileExport, IconX } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { Analysis } from '../../../contract/analysis.ts'
import type { ParityResult } from '../../../contract/parity.ts'
import { useCall } from '../../backend/use-call.ts'
import { AsyncView } from '../../components/async-view.tsx'
import { CutTable } from '../../components/cut-table.tsx'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { WarningList } from '../../components/warning-list.tsx'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCounted, formatSignificant, NOTHING } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatShape } from '../../format/shapes.ts'
import { formatDecibels, formatPercent } from '../../format/shares.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import { ParityChart } from './parity-chart.tsx'
import classes from './parity-detail.module.css'
import { ParityVerdictChip } from './parity-verdict-chip.tsx'
import { useNames } from './use-names.ts'

type StoredParity = Extract<Analysis, { kind: 'parity' }>

/** A build on a device against this computer: verdict, outputs, and the layers where they part. */
export function ParityDetail({ id }: { id: string }) {
  const query = useCall('analyses.get', { id })
  return <AsyncView query={query}>{(analysis) => (analysis.kind === 'parity' ? <WholeParity parity={analysis} /> : null)}</AsyncView>
}

function WholeParity({ parity }: { parity: StoredParity }) {
  const [, navigate] = useLocation()
  const names = useNames()
  const top = useTopOnMount<HTMLDivElement>()
  const { exportReport, isPending } = useExportReport()
  const { verdict, reason, advice, suspects, warnings, samples, inputs, top1Agreement, layers, here, there } = parity.result
  const model = names.model(parity.modelId)
  const worst = [...layers].sort((a, b) => (b.lostDb ?? Number.NEGATIVE_INFINITY) - (a.lostDb ?? Number.NEGATIVE_INFINITY))
  return (
    <div ref={top} className={detailClasses.detail} data-testid="parity-detail" data-parity-id={parity.id}>
      <DetailHeader
        title={model}
        subtitle={
          <>
            <span>{names.device(parity.deviceId)} against this computer</span>
            <span>{formatExactMoment(parity.createdAt)}</span>
          </>
        }
        actions={
          <>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(`${model} parity`, { analysisIds: [parity.id] })}
            >
              Export report
            </Button>
            <Button
              variant="subtle"
              color="gray"
              px={8}
              onClick={() => navigate('/benchmarks/parities')}
              aria-label="Close the parity check"
            >
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <div className={classes.verdict} data-testid="parity-verdict">
          <ParityVerdictChip verdict={verdict} />
          <span className="es-wrap">{plainText(reason, 400)}</span>
        </div>
        <WarningList warnings={warnings} />
        <Section title="Compared" aside={`${formatCounted(samples, 'sample')} of ${plainText(inputs, 60)}`}>
          <Facts
            facts={[
              ...(top1Agreement === null ? [] : [{ label: 'Same class', value: `${formatPercent(top1Agreement)} of the samples` }]),
              { label: 'The device', value: machineText(there) },
              { label: 'This computer', value: machineText(here) },
            ]}
          />
        </Section>
        <Outputs outputs={parity.result.outputs} />
        {suspects.length > 0 ? (
          <Section title="Most likely responsible">
            <ol className={classes.suspects} data-testid="parity-suspects">
              {suspects.map(({ layer, op, message }) => (
                <li key={layer} className="es-wrap">
                  <strong className="es-mono">{plainText(layer, 100)}</strong> <span className="es-dim">{plainText(op, 40)}</span>
                  <div>{plainText(message, 500)}</div>
                </li>
              ))}
            </ol>
            {advice === null ? null : <p className={classes.advice}>{plainText(advice, 500)}</p>}
          </Section>
        ) : advice === null ? null : (
          <p className={classes.advice}>{plainText(advice, 500)}</p>
        )}
        <ParityChart layers={layers} suspects={new Set(suspects.map(({ layer }) => layer))} />
        {layers.length > 0 ? (
          <Section title="Layers" aside="those that lose most first" flush>
            <CutTable
              columns={[
                { header: 'Layer', cell: ({ layer }) => <span className="es-mono">{plainText(layer, 100)}</span>, className: 'es-wrap' },
                { header: 'Operator', cell: ({ op }) => plainText(op, 40) },
                { header: 'Signal to noise', cell: distanceText, align: 'right' },
                { header: 'Lost here', cell: ({ lostDb }) => (lostDb === null ? NOTHING : formatDecibels(lostDb)), align: 'right' },
                { header: 'Largest difference', cell: ({ maxAbsDiff }) => numberText(maxAbsDiff), align: 'right' },
              ]}
              rows={worst}
            />
          </Section>
        ) : null}
      </div>
    </div>
  )
}

function Outputs({ outputs }: { outputs: ParityResult['outputs'] }) {
  return (
    <Section title="Outputs" flush>
      <CutTable
        columns={[
          { header: 'Output', cell: ({ name }) => <span className="es-mono">{plainText(name, 80)}</span>, className: 'es-wrap' },
          { header: 'Shape', cell: ({ shape }) => formatShape(shape) },
          { header: 'Signal to noise', cell: distanceText, align: 'right' },
          { header: 'Cosine', cell: ({ cosine }) => (cosine === null ? NOTHING : cosine.toFixed(6)), align: 'right' },
          { header: 'Largest difference', cell: ({ maxAbsDiff }) => numberText(maxAbsDiff), align: 'right' },
          { header: 'Mean difference', cell: ({ meanAbsDiff }) => numberText(meanAbsDiff), align: 'right' },
        ]}
        rows={outputs}
      />
    </Section>
  )
}

function distanceText({ sqnrDb, maxAbsDiff }: { readonly sqnrDb: number | null; readonly maxAbsDiff: number | null }): string {
  if (sqnrDb !== null) return formatDecibels(sqnrDb)
  return maxAbsDiff === 0 ? formatDecibels(null) : 'not comparable'
}

function numberText(value: number | null): string {
  return value === null ? NOTHING : formatSignificant(value)
}

function machineText({ cpu, architecture, onnxRuntimeVersion }: ParityResult['here']): string {
  return `${plainText(cpu, 80)} (${plainText(architecture, 20)}), ONNX Runtime ${plainText(onnxRuntimeVersion, 30)}`
}
