import type { Duplex } from 'node:stream'
import type { EdgesmithError } from '../contract/errors.ts'
import type { RunningProcess } from './running-process.ts'

/** What users of an SSH connection need of it, whether it is one connection or a link that is mended when it breaks. */
export interface SshChannels {
  /** `host:port`, for messages. */
  readonly place: string
  /**
   * Starts a command in the user's log-in shell there.
   * @param urgent do not wait while as many sessions as usual are open: what ends a process must not wait for that process
   * @throws EdgesmithError CONNECTION_LOST, DEVICE_COMMAND_FAILED (the server opens no session)
   */
  exec(command: string, urgent?: boolean): Promise<RunningProcess>
  /**
   * A byte stream to a loopback port of the device.
   * @throws EdgesmithError CONNECTION_LOST, SERVICE_NOT_RUNNING (nobody listens there), DEVICE_COMMAND_FAILED (forwarding not allowed)
   */
  connectPort(port: number): Promise<Duplex>
  /** The error for work that the loss of the connection ended. */
  lost(): EdgesmithError
}
