import type { AgentRequest } from '../contract/agent-protocol.ts'
import type { JobReporter } from '../contract/job.ts'
import type { ServiceResult } from '../contract/service-protocol.ts'
import type { AgentNeeds, DeviceFile, ServiceOrder } from './device-session.ts'

export type ServiceRequest = Extract<AgentRequest, { command: 'service' }>

/** What services need of a session. */
export interface ServiceGround {
  /** Names the machine in messages. */
  readonly machine: string
  /** Absolute path there of the folder that holds `services/`. */
  readonly root: string
  /** How the machine may be told to keep a service running. */
  supervise(wanted: ServiceOrder['supervise']): ServiceOrder['supervise']
  /** Absolute path of the agent's folder on the machine, which is prepared for it. */
  runtime(needs: AgentNeeds, reporter: JobReporter, signal: AbortSignal | undefined): Promise<string>
  store(files: readonly DeviceFile[], reporter: JobReporter, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string>>
  /** Has an agent there do something that goes on while the link is broken. */
  change(runtime: string, request: ServiceRequest, reporter: JobReporter, signal: AbortSignal | undefined): Promise<ServiceResult>
  /** Has an agent there answer at once. */
  ask(runtime: string, request: ServiceRequest): Promise<ServiceResult>
  /** The last lines of a service's log, where they are to be had without an agent; null has it asked. */
  readonly logs: ((service: string, lines: number) => Promise<string>) | null
  /** Services that lie there, and an agent there that can be asked to remove them; found without an agent. */
  found(): Promise<FoundServices>
}

export interface FoundServices {
  readonly services: readonly string[]
  /** Absolute path of its folder; null when none is there. */
  readonly runtime: string | null
}
