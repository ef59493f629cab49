import { Button } from '@mantine/core'
import { useState } from 'react'
import type { Comparison } from '../../../contract/measurement.ts'
import { bridge } from '../../backend/bridge.ts'
import { call } from '../../backend/call.ts'
import { notifyDone, notifyError } from '../../components/notify.tsx'
import { formatBytes } from '../../format/bytes.ts'

interface ExportReport {
  readonly exportReport: (comparison: Comparison) => Promise<void>
  readonly isPending: boolean
}

/** Asks where to, writes the report, and offers to open it. */
export function useExportReport(): ExportReport {
  const [isPending, setPending] = useState(false)
  async function exportReport(comparison: Comparison): Promise<void> {
    const day = comparison.createdAt.slice(0, 10)
    const path = await bridge().chooseFile({ kind: 'save-report', name: `${comparison.baseline} ${day}.html` })
    if (path === null) return
    setPending(true)
    try {
      const written = await call('report.write', { comparisonIds: [comparison.id], path })
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
