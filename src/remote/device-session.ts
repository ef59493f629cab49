import type { AgentCommand, AgentRequest, AgentResult, ServiceConfig } from '../contract/agent-protocol.ts'
import type { ServiceStatus } from '../contract/deployment.ts'
import type { DeviceReport } from '../contract/device.ts'
import type { JobReporter } from '../contract/job.ts'
import type { OnReading } from './telemetry-stream.ts'

/** A file of this computer that the device shall have. */
export interface DeviceFile {
  readonly sha256: string
  readonly path: string
  readonly sizeBytes: number
}

/** What a push had to send. */
export interface PushSummary {
  readonly sentBytes: number
  readonly sentFiles: number
  /** Size of the whole agent there. */
  readonly totalBytes: number
  readonly durationMs: number
  readonly agentVersion: string
}

/** A model to be served, and how. */
export interface ServiceRelease
  extends Pick<ServiceConfig, 'service' | 'modelName' | 'version' | 'preprocessing' | 'labels' | 'accuracy' | 'latencyP50Ms'> {
  readonly model: DeviceFile
  /** Loopback port on the device; null for a free one. */
  readonly port: number | null
  readonly threads?: number | undefined
}

/** A service that answers. */
export interface DeployedService {
  readonly service: string
  /** Loopback port on the device. */
  readonly port: number
  readonly pid: number
}

/** Services of one device. Names that do not exist there are NOT_FOUND; two hosts changing one service at once, DEVICE_BUSY. */
export interface Services {
  /**
   * Serves a model. A service of that name is replaced: beside the old one until the new one is healthy, or, when both need the same port,
   * after it, with the old one started again should the new one fail.
   * @throws EdgesmithError DEPLOY_FAILED (details.log), PORT_TAKEN, DEVICE_BUSY, JOB_CANCELLED, and what bringing files throws
   */
  deploy(release: ServiceRelease, reporter: JobReporter, signal?: AbortSignal): Promise<DeployedService>
  /** Also for a service that is not there: its state is `unknown` then. */
  status(service: string): Promise<ServiceStatus>
  stop(service: string): Promise<ServiceStatus>
  /** Starts it again, on the same port. @throws EdgesmithError DEPLOY_FAILED, PORT_TAKEN */
  restart(service: string): Promise<ServiceStatus>
  /** The last lines of its log. */
  logs(service: string, lines: number): Promise<string>
  /** Stops and deletes it; one that is not there is fine. */
  remove(service: string): Promise<void>
  /** Access token of its REST API. */
  token(service: string): Promise<string>
  /** Port it listens on; SERVICE_NOT_RUNNING when it does not. */
  port(service: string): Promise<number>
}

/** A loopback port of this computer that leads to one of the device. */
export interface Tunnel {
  readonly port: number
  close(): void
}

/**
 * A device that was logged in to, or this computer. A connection that breaks is opened again: pushing and measuring go on then, and throw
 * CONNECTION_LOST only when that did not succeed for a quarter of an hour; everything else fails after one attempt.
 */
export interface DeviceSession {
  readonly services: Services
  /** Folder on the device for TensorRT engines and timing caches; need not exist. */
  readonly enginesFolder: string
  /** What the device is, and whether the agent can run there. */
  probe(): Promise<DeviceReport>
  /**
   * Brings the agent to the device (only what is not there), checks every hash there (once in a session, lengths afterwards), and lets it
   * test itself.
   * @throws EdgesmithError the code of the first failed check of the probe, DEVICE_NO_SPACE, BUNDLE_CORRUPT, CONNECTION_LOST,
   *   JOB_CANCELLED, or what the self-test throws
   */
  prepare(reporter: JobReporter, signal?: AbortSignal): Promise<PushSummary>
  /** Brings files (models, datasets) to the device's store, only those it lacks; answers their absolute paths there by hash. */
  store(files: readonly DeviceFile[], reporter: JobReporter, signal?: AbortSignal): Promise<ReadonlyMap<string, string>>
  /**
   * Runs one agent command to its end; the device is prepared first if this session did not do so yet. On a device it goes on while the
   * link is broken.
   * @throws EdgesmithError JOB_CANCELLED (the process is gone then, or goes as soon as the link is there again), CONNECTION_LOST, ENGINE_DIED, DEVICE_PROTOCOL, or what the agent reports
   */
  runAgent<C extends AgentCommand>(
    request: Extract<AgentRequest, { command: C }>,
    reporter: JobReporter,
    signal?: AbortSignal,
  ): Promise<AgentResult<C>>
  tunnel(port: number): Promise<Tunnel>
  /**
   * Live readings of temperature, clocks, load, memory and power, every `intervalMs` (default: a second), until the signal aborts. Nothing stays on the device.
   * @throws EdgesmithError CONNECTION_LOST, DEVICE_COMMAND_FAILED, DEVICE_PROTOCOL
   */
  watchTelemetry(onReading: OnReading, signal: AbortSignal, intervalMs?: number): Promise<void>
  /** Stops services, ends programs, deletes everything Edgesmith put there. */
  removeEverything(): Promise<{ removedBytes: number }>
  /** After {@link close}, and when a broken link was given up. */
  readonly closed: boolean
  /** Ends the connection and the runs on the device that go on. */
  close(): void
}
