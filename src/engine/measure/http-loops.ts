import type { Arrivals } from '../../core/statistics/poisson-arrivals.ts'
import { HttpLanes, type HttpLoadOptions, type HttpRuns, type HttpTarget, type Lane } from './http-lanes.ts'
import type { Pacer } from './pacing.ts'
import { TICK_MS } from './timed-runs.ts'

/** An open loop opens connections as it needs them, up to this many; our server takes 512. */
const MOST_CONNECTIONS = 256
/** More requests waiting for a connection than this are never caught up with. */
const MOST_WAITING = 100_000

/** Several connections, each sending the next request when its last one is answered, until `enough` (asked with the requests sent). */
export function closedLoop(
  target: HttpTarget,
  connections: number,
  enough: (sent: number, elapsedMs: number) => boolean,
  options: HttpLoadOptions,
): Promise<HttpRuns> {
  const lanes = new HttpLanes(target, options)
  let sent = 0
  const loop = async () => {
    const lane = lanes.add()
    while (!options.signal.aborted && !enough(sent, lanes.elapsedMs())) {
      sent++
      lanes.due()
      await lanes.request(lane, lanes.elapsedMs())
    }
  }
  return lanes.measure(() => Promise.all(Array.from({ length: connections }, loop)))
}

export interface OpenHttpOptions extends Omit<HttpLoadOptions, 'now'> {
  readonly arrivals: Arrivals
  /** Whether the request of that number (from 0), due that many milliseconds after the start, is still sent. */
  readonly wanted: (index: number, dueMs: number) => boolean
  /** Measuring stops when answers are still missing by then. */
  readonly limitMs: number
  readonly pacer: Pacer
}

/**
 * Requests at their own moments, whether earlier ones are answered or not, each on a free connection; latency counts from the moment
 * a request was due, so that waiting shows (no coordinated omission).
 */
export function openLoop(target: HttpTarget, options: OpenHttpOptions): Promise<HttpRuns> {
  const { arrivals, wanted, pacer, limitMs, signal } = options
  const lanes = new HttpLanes(target, { ...options, now: pacer.now })
  const free: Lane[] = []
  let waiting: number[] = []
  let head = 0
  let busy = 0
  let over = false

  const serve = async (lane: Lane, dueMs: number) => {
    busy++
    for (let due: number | undefined = dueMs; due !== undefined && !over && !signal.aborted; due = waiting[head++])
      await lanes.request(lane, due)
    // One too far: the list was empty.
    head = Math.min(head, waiting.length)
    if (head === waiting.length || head > MOST_WAITING) {
      waiting = waiting.slice(head)
      head = 0
    }
    busy--
    free.push(lane)
  }
  const send = (dueMs: number) => {
    lanes.due(lanes.elapsedMs() - dueMs)
    const lane = free.pop() ?? (lanes.count < MOST_CONNECTIONS ? lanes.add() : undefined)
    if (lane) void serve(lane, dueMs)
    else waiting.push(dueMs)
  }
  const goesOn = () => !signal.aborted && waiting.length - head <= MOST_WAITING && lanes.elapsedMs() <= limitMs
  const waitFor = (ms: number) => pacer.waitUntil(pacer.now() + Math.min(ms, TICK_MS))

  return lanes.measure(async () => {
    let due = arrivals.next()
    for (let index = 0; wanted(index, due) && goesOn(); ) {
      const left = due - lanes.elapsedMs()
      if (left > 0) {
        await waitFor(left)
        continue
      }
      send(due)
      due = arrivals.next()
      index++
    }
    while (busy > 0 && goesOn()) await waitFor(1)
    // Those still waiting must not go on asking a server whose memory and CPU time are read next.
    over = true
  })
}
