import { ActionIcon, Menu } from '@mantine/core'
import { IconDots, IconFlame, IconHourglass, IconListDetails, IconStack2, IconTargetOff } from '@tabler/icons-react'
import { useLocation } from 'wouter'
import type { ComparisonRow } from '../../../contract/measurement.ts'
import { plainText } from '../../format/plain-text.ts'
import type { AnalysedRow } from './analysed-row.ts'

interface RowActionsProps {
  readonly row: ComparisonRow
  readonly isBaseline: boolean
  readonly onAnalyse: (analysed: AnalysedRow) => void
}

/** What can be looked into from a row: layers, accuracy, time, the run itself. */
export function RowActions({ row, isBaseline, onAnalyse }: RowActionsProps) {
  const [, navigate] = useLocation()
  const analyse = (kind: AnalysedRow['kind']) => () => onAnalyse({ kind, modelId: row.modelId })
  return (
    <Menu position="bottom-start" withinPortal>
      <Menu.Target>
        <ActionIcon size="sm" aria-label={`Look into ${plainText(row.model, 80)}`} data-testid={`row-actions-${plainText(row.model)}`}>
          <IconDots size={15} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {isBaseline ? null : (
          <>
            <Menu.Item leftSection={<IconStack2 size={14} />} onClick={analyse('layers')} data-testid="action-layers">
              Layers…
            </Menu.Item>
            <Menu.Item leftSection={<IconTargetOff size={14} />} onClick={analyse('accuracy')} data-testid="action-accuracy">
              Why less accurate?
            </Menu.Item>
            <Menu.Item leftSection={<IconHourglass size={14} />} onClick={analyse('slowdown')} data-testid="action-slowdown">
              Why this speed?
            </Menu.Item>
            <Menu.Divider />
          </>
        )}
        <Menu.Item leftSection={<IconListDetails size={14} />} onClick={() => navigate(`/benchmarks/runs/${row.benchmarkId}`)}>
          Every number of its run
        </Menu.Item>
        {row.evaluationId ? (
          <Menu.Item leftSection={<IconListDetails size={14} />} onClick={() => navigate(`/benchmarks/evaluations/${row.evaluationId}`)}>
            Its evaluation, with samples
          </Menu.Item>
        ) : null}
        <Menu.Item leftSection={<IconFlame size={14} />} onClick={() => navigate(`/benchmarks/profile/${row.modelId}`)}>
          Profile…
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
