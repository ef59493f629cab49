import type { ServiceState } from '../contract/agent-protocol.ts'

/**
 * Where services live on a machine: `services/<name>/` holds `token`, `current` (name of the release that is served), `stopped` (there when the
 * user stopped it), `lock/`, and `releases/<id>/` with `config.json`, `runtime` (folder of the agent that serves it), `pid`, `state.json`, `log`.
 * Implemented by scripts over SSH and by Node on this computer. All methods throw EdgesmithError CONNECTION_LOST or DEVICE_COMMAND_FAILED.
 */
export interface ServicePlace {
  /** Names the machine in messages. */
  readonly machine: string
  /** Absolute paths there of a release's files. */
  paths(service: string, release: string): ReleasePaths
  /** Takes the lock, from `stealFrom` if that one holds it; otherwise answers who holds it and for how long. */
  lock(service: string, owner: string, stealFrom: string | null): Promise<LockHolder | null>
  unlock(service: string, owner: string): Promise<void>
  /** Null when there is no such service. */
  look(service: string): Promise<ServiceView | null>
  /** Writes the files of a release. The token is only taken when the service has none yet. */
  write(service: string, release: string, files: ReleaseFiles): Promise<void>
  /**
   * Starts a release and waits until it listens. With `insteadOf`, that release is stopped before, the new one becomes current when it
   * listens, and when it does not the other is started again; on a device all this goes on when the link breaks meanwhile.
   */
  start(service: string, release: string, insteadOf: string | null): Promise<StartOutcome>
  setCurrent(service: string, release: string): Promise<void>
  /** Stops releases; `byUser` notes that the service shall stay stopped. */
  stop(service: string, releases: readonly string[], byUser: boolean): Promise<void>
  /** Deletes all releases but these (which must not run). */
  prune(service: string, keep: readonly string[]): Promise<void>
  /** The last lines of a release's log; empty when there is none. */
  readLog(service: string, release: string, lines: number): Promise<string>
  readToken(service: string): Promise<string | null>
  /** Deletes a service whose releases were stopped. */
  remove(service: string): Promise<void>
  /** Names of all services there. */
  list(): Promise<readonly string[]>
}

export interface ReleasePaths {
  readonly tokenPath: string
  readonly statePath: string
}

export interface ReleaseFiles {
  readonly config: string
  /** Absolute path of the agent's folder. */
  readonly runtime: string
  readonly token: string
}

export interface LockHolder {
  /** Empty when the lock does not say. */
  readonly owner: string
  readonly ageSeconds: number
}

export interface ReleaseView {
  readonly release: string
  /** Null when its process does not run. */
  readonly pid: number | null
  readonly rssBytes: number | null
  readonly state: ServiceState | null
}

export interface ServiceView {
  readonly current: string | null
  readonly stopped: boolean
  readonly releases: readonly ReleaseView[]
  /** The machine's own clock. */
  readonly nowMs: number
}

export interface StartOutcome {
  /** What the release wrote once it listened; null when it ended or took too long. */
  readonly state: ServiceState | null
  /** Last lines of its log, when it did not start. */
  readonly log: string
  /** Whether the release it should have replaced serves again. */
  readonly restored: boolean
}

/** Loading a model of gigabytes from an SD card takes a while; nothing healthy takes longer. */
export const startTimeoutSeconds = 30
/** Open requests get this long to finish when a service is stopped. */
export const stopTimeoutSeconds = 10
/** A log beyond this is set aside when the service starts; one older log is kept. */
export const largestLogBytes = 5_000_000
/** Lines of the log that come with the error of a failed start. */
export const failureLogLines = 40
