import { Button } from '@mantine/core'
import { IconCheck, IconFileExport, IconMinus, IconX } from '@tabler/icons-react'
import type { Validation } from '../../../../contract/deployment.ts'
import { type CutColumn, CutTable } from '../../../components/cut-table.tsx'
import { Section } from '../../../components/section.tsx'
import { WarningList } from '../../../components/warning-list.tsx'
import { formatMs } from '../../../format/durations.ts'
import { formatExactMoment } from '../../../format/moments.ts'
import { formatCount, formatCounted } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import { useExportReport } from '../../compare/use-export-report.tsx'
import classes from './validation.module.css'

type Check = Validation['checks'][number]

const columns: readonly CutColumn<Check>[] = [
  { header: 'Check', cell: ({ name }) => name },
  { header: 'Result', cell: ({ passed }) => <CheckVerdict passed={passed} /> },
  { header: 'Measured', className: classes.words ?? '', cell: ({ measured }) => plainText(measured, 600) },
  { header: 'Limit', className: classes.words ?? '', cell: ({ limit }) => plainText(limit, 600) },
]

/** One validation: whether the service may go to production, and why. */
export function ValidationResult({ validation }: { validation: Validation }) {
  const { exportReport, isPending } = useExportReport()
  const { passed, checks, load, warnings, createdAt, id, service, model } = validation
  return (
    <Section
      title={passed ? 'Passed' : 'Not passed'}
      aside={
        <>
          <span>
            {plainText(model, 40)}, {formatExactMoment(createdAt)}
          </span>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconFileExport size={13} />}
            loading={isPending}
            onClick={() => void exportReport(`${service} validation`, { validationIds: [id] })}
            data-testid="validation-report"
          >
            Report…
          </Button>
        </>
      }
      flush
    >
      <div data-testid="validation-result" data-passed={passed} data-checks={checks.length}>
        <CutTable columns={columns} rows={checks} first={checks.length} />
        {load ? (
          <p className={`${classes.note} es-dim`}>
            {formatCount(load.requests)} requests over {formatCounted(load.connections, 'connection')}: p50 {formatMs(load.latencyMs.p50)},
            p95 {formatMs(load.latencyMs.p95)}, p99 {formatMs(load.latencyMs.p99)}, longest {formatMs(load.latencyMs.max)}, counted from
            when each request was due.
          </p>
        ) : null}
        {warnings.length > 0 ? (
          <div className={classes.note}>
            <WarningList warnings={warnings} />
          </div>
        ) : null}
      </div>
    </Section>
  )
}

/** Passed, not passed or not checked, with a sign for those who do not see colours. */
function CheckVerdict({ passed }: Pick<Check, 'passed'>) {
  if (passed === null) {
    return (
      <span className={`${classes.verdict} es-dim`}>
        <IconMinus size={14} aria-hidden />
        not checked
      </span>
    )
  }
  const Icon = passed ? IconCheck : IconX
  return (
    <span className={`${classes.verdict} ${passed ? classes.passed : classes.missed}`}>
      <Icon size={14} aria-hidden />
      {passed ? 'passed' : 'not passed'}
    </span>
  )
}
