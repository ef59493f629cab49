import { Button } from '@mantine/core'
import { useState } from 'react'
import type { ProcedureInput } from '../../../contract/procedures.ts'
import { bridge } from '../../backend/bridge.ts'
import { call } from '../../backend/call.ts'
import { notifyDone, notifyError } from '../../components/notify.tsx'
import { formatBytes } from '../../format/bytes.ts'

/** What a report holds. */
type ReportContent = Omit<ProcedureInput<'report.write'>, 'path'>

interface ExportReport {
  /** `name` is suggested for the file, without an ending. */
  readonly exportReport: (name: string, content: ReportContent) => Promise<void>
  readonly isPending: boolean
}

/** Asks where to, writes the report in the format of the file's ending, and offers to open it. */
export function useExportReport(): ExportReport {
  const [isPending, setPending] = useState(false)
  async function exportReport(name: string, content: ReportContent): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'save-report', name: `${name.slice(0, 150)}.html` })
    if (path === null) return
    setPending(true)
    try {
      const written = await call('report.write', { ...content, path })
      notifyDone(
        `Report written: ${written.path} (${formatBytes(written.sizeBytes)})`,
        <Button size="compact-xs" onClick={() => void openReport(written.path)} data-testid="open-report">
          Open
        </Button>,
      )
    } catch (error) {
      notifyError(error, 'The report was not written')
    } finally {
      setPending(false)
    }
  }
  return { exportReport, isPending }
}

async function openReport(path: string): Promise<void> {
  try {
    await bridge().openFile(path)
  } catch (error) {
    notifyError(error, 'The report was not opened')
  }
}
