import { STATUS_CODES } from 'node:http'

/** What stands above an answer's body. */
export interface AnswerHead {
  readonly status: number
  readonly contentType: string
  /** Of the body. */
  readonly bytes: number
  readonly requestId: string | null
  /** Beside those of every answer. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Whole lines that were made before, with their line breaks. */
  readonly lines?: string | undefined
  /** Another request may follow on the connection. */
  readonly keepsOpen: boolean
}

/** Writes heads of answers. @param keepAliveMs that idle connections are kept, said to clients */
export function answerHeads(keepAliveMs: number): (head: AnswerHead) => string {
  const seconds = Math.floor(keepAliveMs / 1000)
  const open = `connection: keep-alive\r\n${seconds > 0 ? `keep-alive: timeout=${seconds}\r\n` : ''}`
  // Nearly all answers start in the same few ways.
  const starts = new Map<string, string>()
  const startOf = (status: number, contentType: string) => {
    const key = `${status} ${contentType}`
    const known = starts.get(key)
    if (known !== undefined) return known
    const made = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n${line('content-type', contentType)}x-content-type-options: nosniff\r\n`
    if (starts.size < 100) starts.set(key, made)
    return made
  }
  return ({ status, contentType, bytes, requestId, headers, lines = '', keepsOpen }) => {
    const id = requestId === null ? '' : `x-request-id: ${requestId}\r\n`
    const caching = headers?.['cache-control'] === undefined ? 'cache-control: no-store\r\n' : ''
    let more = lines
    if (headers) for (const name of Object.keys(headers)) more += line(name, headers[name] as string)
    return `${startOf(status, contentType)}${caching}content-length: ${bytes}\r\n${id}${dateLine()}${keepsOpen ? open : 'connection: close\r\n'}${more}\r\n`
  }
}

/** A text that could end the header would be a bug of ours that lets clients write answers. */
function line(name: string, value: string): string {
  if (/[^\t\x20-\x7e]/.test(value)) throw new Error(`The header ${name} of an answer holds characters that headers cannot have.`)
  return `${name}: ${value}\r\n`
}

let dateSecond = 0
let date = ''

/** The same text for a second. */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    date = `date: ${new Date(second * 1000).toUTCString()}\r\n`
  }
  return date
}
