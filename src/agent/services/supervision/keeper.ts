import type { Supervision } from '../../../contract/service-protocol.ts'

/** Something that starts a service's supervisor, now and where it can after the machine was started again. */
export interface Keeper {
  readonly kind: Supervision
  /** Whether it can be used here; otherwise why not. */
  problem(): Promise<string | null>
  /** Whether it knows the service. */
  isInstalled(): Promise<boolean>
  /** Makes it start the service with the machine; may be done again. @throws EdgesmithError */
  install(): Promise<void>
  /** Starts the supervisor; it is not running. @throws EdgesmithError */
  start(): Promise<void>
  /** Tells the system that the supervisor shall end; it may be running still when this settles. */
  stop(): Promise<void>
  /** Forgets the service; nothing of it is left. */
  uninstall(): Promise<void>
  /** Null when the service comes back after the machine was started again, otherwise why not. */
  rebootNote(): Promise<string | null>
}
