import { join } from 'node:path'
import { readIfThere } from '../../platform/read-file.ts'

/** `supervisor.json`: what a supervisor says of itself and of its serving process. */
export interface SupervisorState {
  readonly pid: number
  readonly bootId: string
  readonly startedAt: string
  /** Of its socket; null where the serving process has one of its own. */
  readonly port: number | null
  /** Process that serves, or is about to; null while none runs. */
  readonly child: number | null
  /** Serving processes that ended by themselves since the supervisor started. */
  readonly crashes: number
  /** Hand-overs that came to an end, one way or the other. */
  readonly handOvers: number
  /** Word in the file `hand-over` when the last start or hand-over that came to an end began: whoever left it there knows that it was his. */
  readonly handedOver: string | null
  /** Why the last start or hand-over failed; null after one that worked. */
  readonly failure: string | null
}

/** Name of the file in a service's folder with a word of whoever asks for a hand-over. */
export const handOverFile = 'hand-over'

/** Null where there is none, or none that can be read. */
export async function readSupervisorState(folder: string): Promise<SupervisorState | null> {
  const text = await readIfThere(join(folder, 'supervisor.json'), 1_000_000)
  if (text === null) return null
  try {
    const { pid, bootId, startedAt, port, child, crashes, handOvers, handedOver, failure } = JSON.parse(text) as Record<string, unknown>
    if (!Number.isSafeInteger(pid) || typeof bootId !== 'string') return null
    return {
      pid: pid as number,
      bootId,
      startedAt: String(startedAt),
      port: typeof port === 'number' ? port : null,
      child: typeof child === 'number' ? child : null,
      crashes: Number(crashes) || 0,
      handOvers: Number(handOvers) || 0,
      handedOver: typeof handedOver === 'string' ? handedOver : null,
      failure: typeof failure === 'string' ? failure : null,
    }
  } catch {
    return null
  }
}
