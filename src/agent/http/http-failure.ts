/** Why a request was given up before anybody could answer it: it is no valid HTTP/1.1, its header is too large, it did not arrive in time. */
export type HttpFailureKind = 'malformed' | 'head-too-large' | 'timeout'

/** What arrived cannot be taken as a request; the connection is closed behind the answer, as nobody knows where the next request starts. */
export class HttpFailure extends Error {
  readonly kind: HttpFailureKind

  constructor(kind: HttpFailureKind, message: string) {
    super(message)
    this.name = 'HttpFailure'
    this.kind = kind
  }
}

export function malformed(what: string): HttpFailure {
  return new HttpFailure('malformed', what)
}
