import { Button, SegmentedControl } from '@mantine/core'
import { IconFileExport, IconX } from '@tabler/icons-react'
import { useState } from 'react'
import { useLocation } from 'wouter'
import type { Matrix } from '../../../contract/matrix.ts'
import detailClasses from '../../components/detail.module.css'
import { DetailHeader } from '../../components/detail-header.tsx'
import { Facts } from '../../components/facts.tsx'
import { Section } from '../../components/section.tsx'
import { formatExactMoment } from '../../format/moments.ts'
import { formatCounted } from '../../format/numbers.ts'
import { plainText } from '../../format/plain-text.ts'
import { useTopOnMount } from '../../hooks/use-top-on-mount.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import { useExportReport } from '../compare/use-export-report.tsx'
import gridClasses from './matrix-grid.module.css'
import { MatrixGrid } from './matrix-grid.tsx'
import { failuresOf, type MatrixMode } from './matrix-look.ts'
import { matrixTitle } from './matrix-title.ts'

/** Builds by devices, what failed, and how it was measured. */
export function MatrixDetail({ matrix }: { matrix: Matrix }) {
  const [, navigate] = useLocation()
  const [mode, setMode] = useState<MatrixMode>('ms')
  const top = useTopOnMount<HTMLDivElement>()
  const { exportReport, isPending } = useExportReport()
  const { models, devices, cells, settings, dataset, createdAt } = matrix
  const failed = cells.filter(({ error }) => error !== null)
  const title = matrixTitle(matrix)
  return (
    <div ref={top} className={detailClasses.detail} data-testid="matrix-detail" data-matrix-id={matrix.id}>
      <DetailHeader
        title={title}
        subtitle={
          <>
            <span>{formatCounted(cells.length - failed.length, 'cell')} measured</span>
            <span>{formatExactMoment(createdAt)}</span>
          </>
        }
        actions={
          <>
            <Button
              leftSection={<IconFileExport size={14} />}
              loading={isPending}
              onClick={() => void exportReport(title, { matrixIds: [matrix.id] })}
            >
              Export report
            </Button>
            <Button variant="subtle" color="gray" px={8} onClick={() => navigate('/benchmarks/matrices')} aria-label="Close the matrix">
              <IconX size={15} />
            </Button>
          </>
        }
      />
      <div className={detailClasses.sections}>
        <Section
          title={mode === 'ms' ? 'Median latency' : `Speed against ${plainText(models[0]?.name ?? '', 40)}`}
          aside={
            <SegmentedControl
              size="xs"
              data={[
                { value: 'ms', label: 'ms' },
                { value: 'relative', label: '×' },
              ]}
              value={mode}
              onChange={(value) => setMode(value as MatrixMode)}
              disabled={models.length < 2}
              aria-label="What cells show"
              data-testid="matrix-mode"
            />
          }
          flush
        >
          <MatrixGrid matrix={matrix} mode={mode} />
        </Section>
        <p className={gridClasses.note}>
          Small numbers are 95 % intervals. Builds of a device were measured one after the other: between close ones a comparison decides.
        </p>
        {failed.length > 0 ? (
          <Section title="What failed">
            <ul className={gridClasses.failures} data-testid="matrix-failures">
              {failuresOf(matrix).map(({ deviceId, modelIds, error }) => (
                <li key={`${deviceId} ${error.message}`} className="es-wrap">
                  <strong>
                    {deviceNameLabel(deviceId, devices.find(({ id }) => id === deviceId)?.name ?? '')},{' '}
                    {modelIds.length === models.length && models.length > 1
                      ? 'all builds'
                      : modelIds.map((modelId) => plainText(models.find(({ id }) => id === modelId)?.name ?? '', 60)).join(', ')}
                  </strong>
                  : {plainText(error.message, 400)} {error.hint ? <span className="es-dim">{plainText(error.hint, 300)}</span> : null}
                </li>
              ))}
            </ul>
          </Section>
        ) : null}
        <Section title="How it was measured">
          <Facts
            facts={[
              { label: 'Scenario', value: settings.scenario },
              { label: 'Runtime', value: settings.runtime === 'tensorrt' ? 'TensorRT' : 'ONNX Runtime' },
              { label: 'Batch × threads', value: `${settings.batch} × ${settings.threads}` },
              { label: 'Length', value: settings.seconds === undefined ? formatCounted(settings.runs, 'run') : `${settings.seconds} s` },
              { label: 'Warm-up', value: `${formatCounted(settings.warmupRuns, 'run')} or ${settings.warmupSeconds} s, the longer` },
              { label: 'Dataset', value: dataset ? plainText(dataset.name, 60) : 'none' },
            ]}
          />
        </Section>
      </div>
    </div>
  )
}
