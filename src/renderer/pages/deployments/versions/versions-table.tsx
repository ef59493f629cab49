import { Tooltip } from '@mantine/core'
import { type CutColumn, CutTable } from '../../../components/cut-table.tsx'
import { Section } from '../../../components/section.tsx'
import { formatMs } from '../../../format/durations.ts'
import { formatExactMoment, formatMoment } from '../../../format/moments.ts'
import { formatCount, formatCounted, NOTHING } from '../../../format/numbers.ts'
import { plainText } from '../../../format/plain-text.ts'
import { formatRoughPercent } from '../../../format/shares.ts'
import { useNow } from '../../../hooks/use-now.ts'
import { divergence, roleText, shortRelease, type VersionRow } from './version-rows.ts'
import classes from './versions.module.css'

const MINUTE = 60_000

/** All versions of a service: what each does, how much of the requests it gets, and how it fares. */
export function VersionsTable({ rows }: { rows: readonly VersionRow[] }) {
  const now = useNow(MINUTE)
  return (
    <Section title="Versions" aside={rows.length > 0 ? formatCount(rows.length) : undefined} flush>
      {rows.length === 0 ? (
        <p className={`${classes.none} es-dim`}>No version lies on the device.</p>
      ) : (
        <div data-testid="versions-table">
          <CutTable columns={columnsAt(now)} rows={rows} />
        </div>
      )}
    </Section>
  )
}

function columnsAt(now: number): readonly CutColumn<VersionRow>[] {
  return [
    {
      header: 'Version',
      className: classes.name ?? '',
      cell: ({ modelName, release, createdAt, live }) => (
        <>
          <div className="es-wrap">
            {plainText(modelName, 80)} <span className="es-mono es-dim">{shortRelease(release)}</span>
          </div>
          <div className={`${classes.about} es-dim`}>
            <span title={formatExactMoment(createdAt)}>
              {createdAt === null ? 'brought just now' : `brought ${formatMoment(createdAt, now)}`}
            </span>
            {live ? `, ${placeText(live)}` : ''}
          </div>
        </>
      ),
    },
    {
      header: 'Does',
      cell: (row) => (
        <span className={classes[row.role]} data-testid={`version-${row.role}`} data-release={row.release}>
          {roleText(row)}
        </span>
      ),
    },
    {
      header: 'Weight',
      align: 'right',
      cell: ({ role, kind, weight }) =>
        role === 'current' || (role === 'beside' && kind !== 'shadow') ? `${Number(weight.toFixed(1))}%` : NOTHING,
    },
    { header: 'Requests', align: 'right', cell: ({ live }) => formatCount(counts(live)?.requests) },
    { header: 'Errors', align: 'right', cell: ({ live }) => formatCount(counts(live)?.errors) },
    { header: 'p50', align: 'right', cell: ({ live }) => formatMs(live?.latencyP50Ms) },
    { header: 'p95', align: 'right', cell: ({ live }) => formatMs(live?.latencyP95Ms) },
    { header: 'Differs', align: 'right', cell: ({ live }) => <Divergence live={live} /> },
  ]
}

/** Null for one that is not loaded: it counts nothing. */
function counts(live: VersionRow['live']): VersionRow['live'] {
  return live?.runsOn === 'not loaded' ? null : live
}

/** How often it answers otherwise than the current version, and what a shadow had to leave out. */
function Divergence({ live }: Pick<VersionRow, 'live'>) {
  const share = divergence(live)
  if (!live || share === null) return NOTHING
  const dropped = live.dropped ? `; ${formatCount(live.dropped)} copies were left out because its queue was full` : ''
  return (
    <Tooltip label={`${formatCount(live.differing)} of ${formatCount(live.compared)} samples were answered differently${dropped}`}>
      <span>{formatRoughPercent(share)}</span>
    </Tooltip>
  )
}

function placeText({ runsOn, workers }: NonNullable<VersionRow['live']>): string {
  if (runsOn === 'workers') return `runs on ${formatCounted(workers, 'worker')}`
  return runsOn === 'answering thread' ? 'runs on the answering thread' : 'not loaded'
}
