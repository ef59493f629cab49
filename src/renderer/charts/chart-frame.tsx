import { ActionIcon, Tooltip } from '@mantine/core'
import { useElementSize } from '@mantine/hooks'
import { IconChartLine, IconCsv, IconPhoto, IconTable } from '@tabler/icons-react'
import { type ReactNode, useRef, useState } from 'react'
import { type CutColumn, CutTable } from '../components/cut-table.tsx'
import { notifyDone, notifyError } from '../components/notify.tsx'
import { formatSignificant, NOTHING } from '../format/numbers.ts'
import { plainText } from '../format/plain-text.ts'
import classes from './chart-frame.module.css'
import { chartImage } from './chart-image.ts'
import { type ChartTable, tableCsv } from './chart-table.ts'

interface ChartFrameProps {
  readonly title: string
  /** Small text or controls beside the title. */
  readonly aside?: ReactNode
  /** The same numbers as a table. */
  readonly table: ChartTable
  /** Height of the chart in pixels. */
  readonly height: number
  readonly testId?: string
  /** A line under the chart: how to read it. */
  readonly note?: ReactNode
  /** Draws the chart in the width there is. */
  readonly children: (width: number) => ReactNode
}

/** A titled chart that can be copied as a picture or as CSV, and read as a table. */
export function ChartFrame({ title, aside, table, height, testId, note, children }: ChartFrameProps) {
  const { ref, width } = useElementSize()
  const body = useRef<HTMLDivElement>(null)
  const [asTable, setAsTable] = useState(false)

  async function copyImage(): Promise<void> {
    const plot = body.current
    if (!plot) return
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': chartImage(plot, title) })])
      notifyDone(`Copied as a picture: ${title}`)
    } catch (error) {
      notifyError(error, 'The chart was not copied')
    }
  }
  async function copyCsv(): Promise<void> {
    try {
      await navigator.clipboard.writeText(tableCsv(table))
      notifyDone(`Copied as CSV: ${title}`)
    } catch (error) {
      notifyError(error, 'The numbers were not copied')
    }
  }
  return (
    <section className={classes.frame} aria-label={title} data-testid={testId}>
      <div className={classes.head}>
        <h3 className={classes.title}>{title}</h3>
        <div className={classes.aside}>
          {aside}
          <FrameAction label={`Copy “${title}” as a picture`} onClick={() => void copyImage()} disabled={asTable} testId="copy-image">
            <IconPhoto size={15} stroke={1.6} />
          </FrameAction>
          <FrameAction label={`Copy “${title}” as CSV`} onClick={() => void copyCsv()} testId="copy-csv">
            <IconCsv size={15} stroke={1.6} />
          </FrameAction>
          <FrameAction
            label={asTable ? `Show “${title}” as a chart` : `Show “${title}” as a table`}
            onClick={() => setAsTable(!asTable)}
            pressed={asTable}
            testId="show-table"
          >
            {asTable ? <IconChartLine size={15} stroke={1.6} /> : <IconTable size={15} stroke={1.6} />}
          </FrameAction>
        </div>
      </div>
      <div className={classes.body}>
        <div ref={ref} style={{ minHeight: height }} className={classes.plot}>
          {asTable ? <NumberTable table={table} /> : width > 0 ? <div ref={body}>{children(width)}</div> : null}
        </div>
        {note ? <p className={classes.note}>{note}</p> : null}
      </div>
    </section>
  )
}

interface FrameActionProps {
  readonly label: string
  readonly onClick: () => void
  readonly children: ReactNode
  readonly testId: string
  readonly disabled?: boolean
  readonly pressed?: boolean
}

function FrameAction({ label, onClick, children, testId, disabled = false, pressed }: FrameActionProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon size="sm" aria-label={label} onClick={onClick} disabled={disabled} aria-pressed={pressed} data-testid={testId}>
        {children}
      </ActionIcon>
    </Tooltip>
  )
}

function NumberTable({ table: { columns, rows } }: { table: ChartTable }) {
  const shown = columns.map((header, column): CutColumn<ChartTable['rows'][number]> => {
    const numeric = rows.some((row) => typeof row[column] === 'number')
    return {
      header,
      cell: (row) => cellText(row[column] ?? null),
      ...(numeric ? { align: 'right' as const } : { className: 'es-wrap' }),
    }
  })
  return (
    <div className={classes.table}>
      <CutTable columns={shown} rows={rows} />
    </div>
  )
}

function cellText(value: string | number | null): string {
  if (value === null) return NOTHING
  if (typeof value === 'string') return plainText(value, 120)
  return Number.isInteger(value) ? String(value) : formatSignificant(value)
}
