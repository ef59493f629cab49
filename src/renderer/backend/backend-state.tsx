import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react'
import { backendEventSchema } from '../../contract/backend-event.ts'
import type { Job } from '../../contract/job.ts'
import { notifyFailedJob } from '../components/notify.tsx'
import { bridge } from './bridge.ts'
import { receiveLink } from './device-link-cache.ts'
import { jobsKey, receiveJob } from './job-cache.ts'
import { deviceLogKey } from './use-device-log.ts'
import { isActive } from './use-jobs.ts'

/** What the window knows of the backend process. */
export interface BackendState {
  readonly state: 'starting' | 'ready' | 'restarting' | 'failed'
  readonly reason: string | null
  /** Set when the backend stopped and was started again: how many jobs were running then. */
  readonly restart: { readonly at: string; readonly interruptedJobs: number } | null
  readonly dismiss: () => void
}

const BackendStateContext = createContext<BackendState>({ state: 'ready', reason: null, restart: null, dismiss: () => {} })

/** State of the backend process and of its last restart. */
export function useBackendState(): BackendState {
  return useContext(BackendStateContext)
}

/**
 * Asked on devices, by a program that starts there or through a tunnel. Asking may itself change what the workspace knows (a state, an open
 * tunnel), so whoever shows these decides when they are asked again: after every change, they would ask without end.
 */
const askedOnDevices: ReadonlySet<string> = new Set(['deployments.report', 'deployments.live', 'deployments.logs', 'deployments.describe'])

/** Whether the answer of a procedure may be another one after a change to such rows. */
function isAffected(procedure: string, what: string): boolean {
  return (procedure.startsWith(`${what}.`) && !askedOnDevices.has(procedure)) || procedure === 'workspace.describe'
}

/** Listens to events: keeps jobs and lists current, notices restarts and then asks for everything again. */
export function BackendStateProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient()
  const [state, setState] = useState<Pick<BackendState, 'state' | 'reason' | 'restart'>>({ state: 'ready', reason: null, restart: null })
  const interrupted = useRef<number | null>(null)

  useEffect(() => {
    return bridge().onEvent((raw) => {
      const parsed = backendEventSchema.safeParse(raw)
      if (!parsed.success) return
      const event = parsed.data
      if (event.type === 'job') {
        const before = client.getQueryData<Job[]>(jobsKey)?.find((job) => job.id === event.job.id)
        receiveJob(client, event.job)
        if (event.job.state === 'failed' && before?.state !== 'failed' && !event.job.foreign) notifyFailedJob(event.job)
        return
      }
      if (event.type === 'changed') {
        void client.invalidateQueries({ predicate: ({ queryKey: [name] }) => isAffected(String(name), event.what) })
        return
      }
      if (event.type === 'device-link') {
        receiveLink(client, event.link)
        return
      }
      if (event.state === 'restarting' || event.state === 'failed') {
        interrupted.current ??= (client.getQueryData<Job[]>(jobsKey) ?? []).filter((job) => isActive(job) && !job.foreign).length
      }
      const interruptedJobs = interrupted.current
      if (event.state === 'ready') {
        interrupted.current = null
        // Lines of a device are numbered from 1 again.
        void client.resetQueries({ queryKey: [deviceLogKey] })
        void client.invalidateQueries()
      }
      setState((previous) => ({
        state: event.state,
        reason: event.reason ?? (event.state === 'ready' ? previous.reason : null),
        restart: event.state === 'ready' && interruptedJobs !== null ? { at: event.at, interruptedJobs } : previous.restart,
      }))
    })
  }, [client])

  const value = useMemo(
    () => ({ ...state, dismiss: () => setState((previous) => ({ ...previous, restart: null, reason: null })) }),
    [state],
  )
  return <BackendStateContext value={value}>{children}</BackendStateContext>
}
