import { Button } from '@mantine/core'
import { IconFileExport, IconRefresh } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { Comparison } from '../../../contract/measurement.ts'
import { useAction } from '../../backend/use-action.ts'
import { DetailHeader } from '../../components/detail-header.tsx'
import { formatExactMoment } from '../../format/moments.ts'
import { plainText } from '../../format/plain-text.ts'
import { deviceNameLabel } from '../../text/device-label.ts'
import { useExportReport } from './use-export-report.tsx'

/** What was compared where, with export and repetition. */
export function ComparisonHeader({ comparison }: { comparison: Comparison }) {
  const [, navigate] = useLocation()
  const start = useAction('compare.start')
  const { exportReport, isPending } = useExportReport()
  const others = comparison.rows.filter(({ modelId }) => modelId !== comparison.baselineId)
  const blocks = others[0]?.speedup?.blocks
  const title = `${comparison.baseline} against ${others.length === 1 ? others[0]?.model : `${others.length} others`}`
  return (
    <DetailHeader
      title={title}
      subtitle={
        <>
          <span>{deviceNameLabel(comparison.deviceId, comparison.device)}</span>
          <span>{comparison.dataset === null ? 'no dataset: accuracy was not measured' : plainText(comparison.dataset, 80)}</span>
          <span>{formatExactMoment(comparison.createdAt)}</span>
        </>
      }
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconRefresh size={14} />}
            loading={start.isPending}
            onClick={() =>
              start.mutate(
                {
                  baselineId: comparison.baselineId,
                  modelIds: others.map(({ modelId }) => modelId),
                  deviceId: comparison.deviceId,
                  ...(comparison.datasetId ? { datasetId: comparison.datasetId } : {}),
                  settings: comparison.settings,
                  ...(blocks === undefined ? {} : { blocks }),
                  control: comparison.noiseFloor !== null,
                },
                { onSuccess: ({ jobId }) => navigate(`/compare/${jobId}`) },
              )
            }
            data-testid="compare-again"
          >
            Run again
          </Button>
          <Button
            leftSection={<IconFileExport size={14} />}
            loading={isPending}
            onClick={() =>
              void exportReport(`${comparison.baseline} ${comparison.createdAt.slice(0, 10)}`, { comparisonIds: [comparison.id] })
            }
            data-testid="export-report"
          >
            Export report
          </Button>
        </>
      }
    />
  )
}
