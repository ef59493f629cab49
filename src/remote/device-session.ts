import type { AgentCommand, AgentRequest, AgentResult } from '../contract/agent-protocol.ts'
import type { DeviceReport } from '../contract/device.ts'
import type { JobReporter } from '../contract/job.ts'
import type { ReleaseGate, Rollout } from '../contract/routing.ts'
import type { ReleaseFile, ServiceSettings } from '../contract/service.ts'
import type { ServiceAction, ServiceReport, ServiceResult, TrafficRequest } from '../contract/service-protocol.ts'
import type { OnReading } from './telemetry-stream.ts'

/** A file of this computer that the device shall have. */
export interface DeviceFile {
  readonly sha256: string
  readonly path: string
  readonly sizeBytes: number
}

/** What a service needs of its agent beside Node, ONNX Runtime and our code. */
export interface AgentNeeds {
  /** The image library (sharp and libvips, 8 MB to send): for releases whose preprocessing has `image`, which take image files as bodies. */
  readonly images: boolean
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

/** A model to be served as a new release of a service, and how. */
export interface ServiceOrder {
  /** Its name is in them. */
  readonly settings: ServiceSettings
  readonly release: Omit<ReleaseFile, 'modelPath'>
  readonly model: DeviceFile
  readonly rollout: Rollout
  readonly gate: ReleaseGate
  /** Signs what the service tells others; null keeps the one it has. */
  readonly webhookSecret: string | null
  readonly supervise: Extract<ServiceAction, { action: 'deploy' }>['supervise']
}

/** A release that was brought and is served. */
export interface DeployedService extends NonNullable<ServiceResult['deployed']> {
  readonly report: ServiceReport
}

/**
 * Services of one device. The agent there does the work (`service-protocol.ts`). Names that do not exist there are NOT_FOUND; two hosts
 * changing one service at once, DEVICE_BUSY. What changes a service goes on there while the link is broken.
 */
export interface Services {
  /**
   * Brings a release: it is checked beside what serves, and takes its place as the roll-out says. What served before serves on when it fails.
   * @throws EdgesmithError DEPLOY_FAILED (details.checks, details.log), PORT_TAKEN, SUDO_NEEDED, DEVICE_BUSY, JOB_CANCELLED, and what
   *   bringing files throws
   */
  deploy(order: ServiceOrder, reporter: JobReporter, signal?: AbortSignal): Promise<DeployedService>
  /** Also of a service that is not there: its state is `unknown` then. */
  report(service: string): Promise<ServiceReport>
  /** Of all services there, whoever deployed them. */
  reports(): Promise<readonly ServiceReport[]>
  /** Changes who gets requests. @throws EdgesmithError SERVICE_NOT_RUNNING */
  traffic(service: string, traffic: TrafficRequest, reporter?: JobReporter, signal?: AbortSignal): Promise<ServiceReport>
  stop(service: string): Promise<ServiceReport>
  /** Starts it again, on the same port. @throws EdgesmithError DEPLOY_FAILED, PORT_TAKEN */
  start(service: string): Promise<ServiceReport>
  /** Ends its process as a crash would and waits until it answers again; `message` of the report says how long that took. */
  crash(service: string, reporter?: JobReporter, signal?: AbortSignal): Promise<ServiceReport>
  /** Deletes what is known of a release that failed. @throws EdgesmithError NOT_FOUND */
  forgetFailure(service: string, release: string): Promise<ServiceReport>
  /** The last lines of its log. */
  logs(service: string, lines: number): Promise<string>
  /** Stops and deletes it, unit and cron line included; one that is not there is fine. */
  remove(service: string): Promise<void>
  /** Access token of its REST API. */
  token(service: string): Promise<string>
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
  /**
   * Absolute path of the agent's folder on the machine, for a service that shall run from it: brought and tested like {@link prepare}, with what
   * is needed. An agent with the image library is a folder of its own there; what both have in common is sent and kept once.
   * @throws EdgesmithError as `prepare`
   */
  runtimeFor(needs: AgentNeeds, reporter: JobReporter, signal?: AbortSignal): Promise<string>
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
