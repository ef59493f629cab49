import type { HttpError } from './http-error.ts'

/** An answer. */
export interface Answer {
  readonly status: number
  /** Sent as JSON; where `contentType` says what it is, text or bytes that are sent as they are. */
  readonly body: unknown
  readonly contentType?: string
  /** Beside those of every answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Called once the answer has been handed to the socket. */
  readonly sent?: () => void
}

/** Paths of the Open Inference Protocol, whose errors have a form of their own. */
export function isProtocolPath(path: string): boolean {
  return path === '/v2' || path.startsWith('/v2/')
}

/** A refusal as clients of that path expect it: `{"error": {code, message, hint?}}`, or `{"error": text}` under /v2. */
export function refusal(error: HttpError, path: string): Answer {
  const { status, headers, hint, message } = error
  const body = isProtocolPath(path) ? { error: hint === undefined ? message : `${message} ${hint}` } : error.body()
  return { status, body, headers }
}

/** An answer's body as it goes over the line. */
export function encodeBody({ body, contentType }: Answer): string | Uint8Array {
  return contentType === undefined ? JSON.stringify(body) : (body as string | Uint8Array)
}
