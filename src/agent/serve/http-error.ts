/** Every code the REST API answers with, its HTTP status, and what it means. Clients rely on the names: none is ever renamed. */
export const httpErrors = {
  BAD_REQUEST: { status: 400, means: 'the request is not HTTP as this server speaks it' },
  INVALID_JSON: { status: 400, means: 'the body is not JSON' },
  INVALID_REQUEST: { status: 400, means: 'the body is JSON of another form than the documented one' },
  UNAUTHORIZED: { status: 401, means: 'the access token is missing or wrong' },
  FORBIDDEN: { status: 403, means: 'the path is for the owner of the service on its own machine only' },
  NOT_FOUND: { status: 404, means: 'there is nothing at this path' },
  METHOD_NOT_ALLOWED: { status: 405, means: 'the path exists, the method does not' },
  REQUEST_TIMEOUT: { status: 408, means: 'the request did not arrive whole in time' },
  CONFLICT: { status: 409, means: 'what was asked for does not go together with what the service is doing' },
  BODY_TOO_LARGE: { status: 413, means: 'the body is over the limit' },
  RESPONSE_TOO_LARGE: { status: 413, means: 'the answer would be over the limit' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, means: 'the body is not declared as something this path takes' },
  HOST_NOT_ALLOWED: { status: 421, means: 'the Host header is not a name of this service' },
  INVALID_INPUT: { status: 422, means: 'an input does not fit the model' },
  OUT_OF_RANGE: { status: 422, means: 'a value is outside the range of its field' },
  TOO_MANY_SAMPLES: { status: 422, means: 'a batch holds more samples than are allowed' },
  MODEL_REFUSED_INPUT: { status: 422, means: 'the model cannot compute these values or sizes' },
  RATE_LIMITED: { status: 429, means: 'this client asks more often than it may (requests count, a batch is one)' },
  HEADERS_TOO_LARGE: { status: 431, means: 'the header is over the limit' },
  INTERNAL: { status: 500, means: 'a bug in the server' },
  MODEL_RUN_FAILED: { status: 500, means: 'the model failed while running' },
  NOT_READY: { status: 503, means: 'the model is not loaded yet, or cannot be run for now' },
  OVERLOADED: { status: 503, means: 'too many requests are in flight' },
  DEADLINE_EXCEEDED: { status: 504, means: 'the answer was not ready in time' },
} as const satisfies Record<string, { status: number; means: string }>

export type HttpErrorCode = keyof typeof httpErrors

/** A refusal with its status; answered as `{"error": {code, message, hint?}}`. */
export class HttpError extends Error {
  readonly code: HttpErrorCode
  readonly hint: string | undefined
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: HttpErrorCode,
    message: string,
    options: { hint?: string | undefined; headers?: Readonly<Record<string, string>> | undefined } = {},
  ) {
    super(message)
    this.name = 'HttpError'
    this.code = code
    this.hint = options.hint
    this.headers = options.headers ?? {}
  }

  get status(): number {
    return httpErrors[this.code].status
  }

  /** The answer's body. */
  body(): { error: { code: HttpErrorCode; message: string; hint?: string } } {
    return { error: { code: this.code, message: this.message, ...(this.hint === undefined ? {} : { hint: this.hint }) } }
  }
}
