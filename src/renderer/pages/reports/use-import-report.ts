import { useState } from 'react'
import { useLocation } from 'wouter'
import { bridge } from '../../backend/bridge.ts'
import { call } from '../../backend/call.ts'
import { notifyDone, notifyError } from '../../components/notify.tsx'

interface ImportReport {
  readonly importReport: () => Promise<void>
  readonly isPending: boolean
}

/** Asks for a report that was written as .json, reads it and shows it. */
export function useImportReport(): ImportReport {
  const [, navigate] = useLocation()
  const [isPending, setPending] = useState(false)
  async function importReport(): Promise<void> {
    const path = await bridge().chooseFile({ kind: 'open-report' })
    if (path === null) return
    setPending(true)
    try {
      const entry = await call('reports.import', { path })
      notifyDone(`Imported ${entry.title}`)
      navigate(`/reports/${entry.id}`)
    } catch (error) {
      notifyError(error, 'The report was not imported')
    } finally {
      setPending(false)
    }
  }
  return { importReport, isPending }
}
