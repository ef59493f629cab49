import type { Readable } from 'node:stream'
import { type DetachedFrame, detachedFrameSchema, FRAME_LINE_LIMIT } from '../contract/detached-run.ts'
import { EdgesmithError } from '../contract/errors.ts'
import { shownText } from './shown-text.ts'

/** A frame, and the bytes that followed it. */
export interface ReceivedFrame {
  readonly frame: DetachedFrame
  readonly content: Buffer
}

/**
 * Reads what `agent host` writes. A frame that the end of the stream cut is left out.
 * @param place names the device in messages
 * @throws EdgesmithError DEVICE_PROTOCOL
 */
export async function* readFrames(stream: Readable, place: string): AsyncGenerator<ReceivedFrame, void> {
  let held: Buffer[] = []
  let length = 0
  /** Bytes that `held` must have before it is looked at again. */
  let wanted = 1
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    held.push(chunk)
    length += chunk.length
    if (length < wanted) continue
    let rest: Buffer = held.length === 1 ? chunk : Buffer.concat(held)
    wanted = 1
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const frame = parse(rest.subarray(0, end), place)
      const bytes = 'bytes' in frame ? frame.bytes : 0
      wanted = end + 1 + bytes
      if (rest.length < wanted) break
      yield { frame, content: rest.subarray(end + 1, wanted) }
      rest = rest.subarray(wanted)
      wanted = 1
    }
    if (wanted === 1 && rest.length > FRAME_LINE_LIMIT) throw broken(place, rest)
    held = rest.length > 0 ? [rest] : []
    length = rest.length
  }
}

function parse(line: Buffer, place: string): DetachedFrame {
  try {
    return detachedFrameSchema.parse(JSON.parse(line.toString('utf8')))
  } catch {
    throw broken(place, line)
  }
}

function broken(place: string, found: Buffer): EdgesmithError {
  return new EdgesmithError('DEVICE_PROTOCOL', `The agent on ${place} sent no frame: ${shownText(found.toString('utf8', 0, 200))}`, {
    hint: 'The agent there may be of another version. Prepare the device again.',
  })
}
