import { HttpFailure, malformed } from './http-failure.ts'
import { checkTrailer } from './request-head.ts'

/** Longest line that says how large a chunk is; its extensions say nothing anybody needs. */
const SIZE_LINE_BYTES = 256
const TRAILER_BYTES = 4096
/** Up to 4 GiB; what a service takes in all is its own limit. Extensions are names, with values that need no quotes. */
const SIZE_LINE = /^([0-9A-Fa-f]{1,8})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?)*$/
const CR = 13
const LF = 10

/** What was read of a chunked body. */
interface DecodedChunks {
  /** Bytes of the body: the front of the memory that was given. */
  readonly body: Buffer
  /** Bytes that were used, all of them unless the body is over. */
  readonly used: number
  readonly isOver: boolean
}

/** Takes the chunks of a body apart as they arrive (RFC 9112, 7.1). */
export class ChunkedBody {
  private state: 'size' | 'content' | 'content-end' | 'trailer' | 'over' = 'size'
  /** Of the line being read: small, whatever a client sends. */
  private line = ''
  /** Bytes of the chunk that are to come; of the line end behind it, 2 or 1. */
  private left = 0
  private trailerBytes = 0

  /**
   * @param bytes changed in place: however small the chunks are, nothing is allocated for one
   * @throws HttpFailure `malformed`, `head-too-large` (trailers)
   */
  decode(bytes: Buffer): DecodedChunks {
    let at = 0
    let kept = 0
    while (at < bytes.length && this.state !== 'over') {
      if (this.state === 'content') {
        const count = Math.min(this.left, bytes.length - at)
        if (kept !== at) bytes.copyWithin(kept, at, at + count)
        kept += count
        at += count
        this.left -= count
        if (this.left === 0) {
          this.state = 'content-end'
          this.left = 2
        }
      } else if (this.state === 'content-end') {
        if (bytes[at++] !== (this.left-- === 2 ? CR : LF)) throw malformed('a chunk that is longer than its size')
        if (this.left === 0) this.state = 'size'
      } else at = this.readLine(bytes, at)
    }
    return { body: bytes.subarray(0, kept), used: at, isOver: this.state === 'over' }
  }

  /** Reads on to the end of a line. @returns where to go on */
  private readLine(bytes: Buffer, from: number): number {
    const found = bytes.indexOf(LF, from)
    const end = found < 0 ? bytes.length : found + 1
    const limit = this.state === 'size' ? SIZE_LINE_BYTES : TRAILER_BYTES - this.trailerBytes
    if (this.line.length + end - from > limit) {
      throw this.state === 'size' ? malformed('a chunk size of many characters') : new HttpFailure('head-too-large', 'trailers')
    }
    this.line += bytes.toString('latin1', from, end)
    if (found < 0) return end
    const line = this.line
    this.line = ''
    if (!line.endsWith('\r\n')) throw malformed('a line that does not end in CR LF')
    if (this.state === 'size') this.startChunk(line.slice(0, -2))
    else this.readTrailer(line.slice(0, -2))
    return end
  }

  private startChunk(line: string): void {
    const size = SIZE_LINE.exec(line)?.[1]
    if (size === undefined) throw malformed('a chunk without a size')
    this.left = Number.parseInt(size, 16)
    this.state = this.left === 0 ? 'trailer' : 'content'
  }

  private readTrailer(line: string): void {
    this.trailerBytes += line.length + 2
    if (line === '') this.state = 'over'
    else checkTrailer(line)
  }
}
