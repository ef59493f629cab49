import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ReportEntry, ReportFormat } from '../../../contract/report.ts'
import { bridge } from '../../backend/bridge.ts'
import { call } from '../../backend/call.ts'
import { notifyDone, notifyError } from '../../components/notify.tsx'
import { formatBytes } from '../../format/bytes.ts'
import { openReportFile } from './open-report-file.ts'
import { reportFileName } from './report-formats.ts'

interface ReportExport {
  readonly exportReport: (report: ReportEntry, format: ReportFormat) => Promise<void>
  readonly isPending: boolean
}

/** Asks where to, writes a stored report there, and offers to open it. */
export function useReportExport(): ReportExport {
  const [isPending, setPending] = useState(false)
  async function exportReport({ id, title }: ReportEntry, format: ReportFormat): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'save-report', name: reportFileName(title, format) })
    if (path === null) return
    setPending(true)
    try {
      notifyWritten(await call('reports.export', { id, path }))
    } catch (error) {
      notifyError(error, 'The report was not written')
    } finally {
      setPending(false)
    }
  }
  return { exportReport, isPending }
}

/** Says where a report was written to, with a button that opens it. */
export function notifyWritten({ path, sizeBytes }: { readonly path: string; readonly sizeBytes: number }): void {
  notifyDone(
    `Report written: ${path} (${formatBytes(sizeBytes)})`,
    <Button size="compact-xs" onClick={() => void openReportFile(path)} data-testid="open-report">
      Open
    </Button>,
  )
}
