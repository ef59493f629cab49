import type { Readable } from 'node:stream'

/** A line grew beyond its limit. */
export class LineTooLong extends Error {}

/**
 * Splits a byte stream into lines (without their `\n`, UTF-8), the last one also when it has none. Only the current line is held.
 * Who stops early leaves the stream open: it has to be drained, or the process behind it is never seen to end.
 * @throws LineTooLong when a line has more than `maxLineBytes`
 */
export async function* readLines(stream: Readable, maxLineBytes: number): AsyncGenerator<string, void> {
  let parts: Buffer[] = []
  let held = 0
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, at))
      held += at - from
      if (held > maxLineBytes) throw new LineTooLong(`a line of more than ${maxLineBytes} bytes`)
      yield Buffer.concat(parts).toString('utf8')
      parts = []
      held = 0
      from = at + 1
    }
    if (from < chunk.length) {
      parts.push(chunk.subarray(from))
      held += chunk.length - from
      if (held > maxLineBytes) throw new LineTooLong(`a line of more than ${maxLineBytes} bytes`)
    }
  }
  if (held > 0) yield Buffer.concat(parts).toString('utf8')
}
