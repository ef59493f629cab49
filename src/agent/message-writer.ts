import type { AgentMessage } from '../contract/agent-protocol.ts'
import { encodeWire } from '../contract/agent-wire.ts'
import type { JobReporter, Progress } from '../contract/job.ts'

/** Progress more often than this is more than anyone looks at. */
const PROGRESS_INTERVAL_MS = 100

/** Writes one message as one line; settles when the line has left this process. */
export function writeMessage(message: AgentMessage): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${encodeWire(message)}\n`, () => resolve()))
}

/** Reports to the host. A new phase and the end of one always get through, in between at most ten reports a second. */
export function hostReporter(): JobReporter {
  let phase = ''
  let lastAt = Number.NEGATIVE_INFINITY
  return {
    progress: (progress: Progress) => {
      const now = performance.now()
      const turning = progress.phase !== phase || (progress.total !== null && progress.done >= progress.total)
      if (!turning && now - lastAt < PROGRESS_INTERVAL_MS) return
      phase = progress.phase
      lastAt = now
      void writeMessage({ type: 'progress', progress })
    },
    log: (text) => void writeMessage({ type: 'log', text }),
  }
}
