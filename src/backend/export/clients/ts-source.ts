import { type ClientDescription, type ClientPort, commentText, exampleSample, identifier, portForm } from './client-description.ts'

function scalarType(type: string): string {
  if (type === 'string') return 'string'
  return type === 'bool' ? 'boolean' : 'number'
}

function valueType({ type, shape }: ClientPort): string {
  return `${scalarType(type)}${'[]'.repeat(shape.length)}`
}

function interfaceText(name: string, doc: string, entries: readonly (readonly [string, string, string])[]): string {
  const lines = entries.map(
    ([key, type, comment]) => `${comment === '' ? '' : `  /** ${commentText(comment)} */\n`}  ${JSON.stringify(key)}: ${type}`,
  )
  return `/** ${doc} */\nexport interface ${name} {\n${lines.join('\n')}\n}\n`
}

function range({ min, max }: ClientDescription['fields'][number]): string {
  if (min === null && max === null) return ''
  if (min === null) return `At most ${max}.`
  return max === null ? `At least ${min}.` : `${min} to ${max}.`
}

/** How a sample is given to `predict`. */
function mainSample({ fields, inputs }: ClientDescription): { readonly type: string; readonly key: string; readonly doc: string } {
  const [only] = inputs
  if (fields.length > 0) return { type: 'Fields', key: 'fields', doc: 'Predicts one sample, given by the names of its values.' }
  if (only && inputs.length === 1)
    return { type: valueType(only), key: 'input', doc: `Predicts one sample: ${commentText(portForm(only))}.` }
  return { type: 'Inputs', key: 'inputs', doc: 'Predicts one sample.' }
}

/** The module of a TypeScript client: `fetch` and nothing else, for browsers, Deno, Bun and Node.js from 20 on. */
export function tsSource(description: ClientDescription, version: string): string {
  const { service, modelName, modelSha256, inputs, outputs, embedding, labels, fields, takesImages, batchLimit } = description
  const sample = mainSample(description)
  const types = [
    interfaceText(
      'Inputs',
      'Values of one sample by input, without the batch dimension.',
      inputs.map((port) => [port.name, valueType(port), portForm(port)]),
    ),
    interfaceText(
      'Outputs',
      'Answers for one sample by output.',
      outputs.map((port) => [port.name, valueType(port), portForm(port)]),
    ),
    ...(fields.length > 0
      ? [
          interfaceText(
            'Fields',
            'Values of one sample by name.',
            fields.map((field) => [field.name, 'number', range(field)]),
          ),
        ]
      : []),
  ]
  const options = embedding ? 'RequestOptions & { readonly embedding?: boolean }' : 'RequestOptions'
  const flag = embedding ? ', ...(options.embedding ? { embedding: true } : {})' : ''
  return `// Client of the service ${commentText(service)}: model "${commentText(modelName)}".
// Made by Edgesmith ${version} from model ${modelSha256.slice(0, 12)}. Needs fetch and nothing else: browsers, Deno, Bun, Node.js from 20 on.

export const SERVICE = ${JSON.stringify(service)}
export const MODEL = ${JSON.stringify(modelName)}
export const MODEL_SHA256 = ${JSON.stringify(modelSha256)}
/** Names of the classes by index. */
export const LABELS: readonly string[] | null = ${JSON.stringify(labels)}

${types.join('\n')}
/** The answer for one sample. */
export interface Prediction {
  readonly outputs: Outputs
  /** Null for a model that is no classifier; \`confidence\` is the probability of the class, 0 to 1. */
  readonly prediction: { readonly class: number; readonly label: string | null; readonly confidence: number } | null
${embedding ? `  /** Null unless it was asked for. */\n  readonly embedding: ${valueType(embedding)} | null\n` : ''}  /** The release that answered. */
  readonly version: string
  /** In the service. */
  readonly latencyMs: number
  /** Under which the service's log knows the request. */
  readonly requestId: string
}

/**
 * The service refused or failed. \`kind\` says what to do: \`input\`: the request is wrong, asking again does not help; \`token\`: missing or wrong;
 * \`unavailable\`: not reachable, not ready, asked too often or too late, worth another try.
 */
export class ServiceError extends Error {
  readonly kind: 'input' | 'token' | 'unavailable'
  /** The service's own word for it. */
  readonly code: string
  /** HTTP status, 0 where there was no answer. */
  readonly status: number
  readonly hint: string | null
  readonly requestId: string | null

  constructor(
    kind: ServiceError['kind'],
    code: string,
    message: string,
    details: { readonly status?: number; readonly hint?: string | null; readonly requestId?: string | null; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause })
    this.name = 'ServiceError'
    this.kind = kind
    this.code = code
    this.status = details.status ?? 0
    this.hint = details.hint ?? null
    this.requestId = details.requestId ?? null
  }
}

export interface ClientOptions {
  /** For example http://127.0.0.1:8080. */
  readonly url: string
  readonly token: string
  /** For one answer; default 30,000. */
  readonly timeoutMs?: number
  /** How often a request is repeated that was not answered, or refused for now (429, 503); default 3. */
  readonly retries?: number
  readonly fetch?: typeof fetch
  readonly wait?: (ms: number) => Promise<void>
}

export interface RequestOptions {
  readonly signal?: AbortSignal
}

interface Result {
  readonly outputs: Outputs
  readonly prediction?: Prediction['prediction']
${embedding ? `  readonly embedding?: ${valueType(embedding)}\n` : ''}}

interface Envelope {
  readonly version: string
  readonly latency_ms: number
}

export class Client {
  readonly #base: string
  readonly #token: string
  readonly #timeoutMs: number
  readonly #retries: number
  readonly #fetch: typeof fetch
  readonly #wait: (ms: number) => Promise<void>

  constructor({ url, token, timeoutMs = 30_000, retries = 3, fetch: ask = fetch, wait = pause }: ClientOptions) {
    this.#base = url.replace(/\\/+$/, '')
    this.#token = token
    this.#timeoutMs = timeoutMs
    this.#retries = retries
    this.#fetch = ask
    this.#wait = wait
  }

  /** What the service is. */
  async health(options: RequestOptions = {}): Promise<{ status: string; model_loaded: boolean; version: string; uptime_seconds: number }> {
    return (await this.#json('/health', options)).body as never
  }

  /** Whether it can answer now. */
  async ready(options: RequestOptions = {}): Promise<boolean> {
    try {
      return ((await this.#json('/ready', options, undefined, 0)).body as { ready: boolean }).ready
    } catch (error) {
      if (error instanceof ServiceError && error.kind === 'unavailable') return false
      throw error
    }
  }

  /** Inputs, outputs, labels, limits, versions. */
  async modelInfo(options: RequestOptions = {}): Promise<Record<string, unknown>> {
    return (await this.#json('/model_info', options)).body as Record<string, unknown>
  }

  /** The service's metrics in the text format of Prometheus. */
  async metrics(options: RequestOptions = {}): Promise<string> {
    return (await this.#request('/metrics', options, undefined, this.#retries)).text
  }

  /** ${sample.doc} @throws ServiceError */
  async predict(sample: ${sample.type}, options: ${options} = {}): Promise<Prediction> {
    return this.#predict({ ${sample.key}: sample${flag} }, options)
  }
${
  sample.key === 'inputs'
    ? ''
    : `
  /** Predicts one sample, given by input. @throws ServiceError */
  async predictInputs(inputs: Inputs, options: ${options} = {}): Promise<Prediction> {
    return this.#predict({ inputs${flag} }, options)
  }
`
}${
  takesImages
    ? `
  /** Predicts an image file (JPEG, PNG, WebP); the service makes it fit the model. @throws ServiceError */
  async predictImage(image: Blob, options: RequestOptions = {}): Promise<Prediction> {
    const { body, requestId } = await this.#json('/predict', options, { content: image, type: image.type })
    return predictionOf(body as Result, body as Envelope, requestId)
  }
`
    : ''
}
  /** Predicts many samples, \`chunk\` of them in one request. @throws ServiceError */
  async predictBatch(samples: readonly ${fields.length > 0 ? 'Fields' : 'Inputs'}[], options: ${options} & { readonly chunk?: number } = {}): Promise<Prediction[]> {
    const { chunk = ${Math.min(256, batchLimit)} } = options
    const predictions: Prediction[] = []
    for (let first = 0; first < samples.length; first += chunk) {
      const part = { ${fields.length > 0 ? 'fields' : 'inputs'}: samples.slice(first, first + chunk)${flag} }
      const { body, requestId } = await this.#json('/predict/batch', options, { content: encode(part), type: 'application/json' })
      const { results, ...envelope } = body as Envelope & { readonly results: readonly Result[] }
      predictions.push(...results.map((result) => predictionOf(result, envelope, requestId)))
    }
    return predictions
  }

  async #predict(request: object, options: RequestOptions): Promise<Prediction> {
    const { body, requestId } = await this.#json('/predict', options, { content: encode(request), type: 'application/json' })
    return predictionOf(body as Result, body as Envelope, requestId)
  }

  async #json(path: string, options: RequestOptions, sent?: Sent, retries = this.#retries): Promise<{ body: unknown; requestId: string }> {
    const { text, status, requestId } = await this.#request(path, options, sent, retries)
    try {
      return { body: JSON.parse(text), requestId }
    } catch (cause) {
      throw new ServiceError('unavailable', 'NOT_THE_SERVICE', 'The answer is not JSON: is this the address of the service?', { status, cause })
    }
  }

  async #request(path: string, { signal }: RequestOptions, sent: Sent | undefined, retries: number): Promise<{ text: string; status: number; requestId: string }> {
    for (let attempt = 0; ; attempt++) {
      const pauseMs = Math.min(100 * 2 ** attempt, 5000)
      const limit = AbortSignal.timeout(this.#timeoutMs)
      let answer: Response
      let text: string
      try {
        answer = await this.#fetch(this.#base + path, {
          method: sent ? 'POST' : 'GET',
          headers: { accept: 'application/json', authorization: \`Bearer \${this.#token}\`, ...(sent ? { 'content-type': sent.type } : {}) },
          signal: signal ? AbortSignal.any([signal, limit]) : limit,
          ...(sent ? { body: sent.content } : {}),
        })
        text = await answer.text()
      } catch (cause) {
        signal?.throwIfAborted()
        if (attempt === retries) throw new ServiceError('unavailable', 'NO_ANSWER', \`The service did not answer: \${String(cause)}\`, { cause })
        await this.#wait(pauseMs)
        continue
      }
      const requestId = answer.headers.get('x-request-id') ?? ''
      if (answer.status < 400) return { text, status: answer.status, requestId }
      const again = (answer.status === 429 || answer.status === 503) && attempt < retries
      if (!again) throw errorOf(answer.status, text, requestId)
      const askedMs = 1000 * Number(answer.headers.get('retry-after') ?? 0)
      await this.#wait(Math.min(Math.max(pauseMs, Number.isFinite(askedMs) ? askedMs : 0), 30_000))
    }
  }
}

interface Sent {
  readonly content: string | Blob
  readonly type: string
}

function encode(body: object): string {
  return JSON.stringify(body, (_, value: unknown) => {
    if (typeof value !== 'number' || Number.isFinite(value)) return value
    // JSON would make null of it.
    throw new ServiceError('input', 'NOT_FINITE', 'NaN and infinity cannot be sent.')
  })
}

function predictionOf(result: Result, envelope: Envelope, requestId: string): Prediction {
  return {
    outputs: result.outputs,
    prediction: result.prediction ?? null,
${embedding ? '    embedding: result.embedding ?? null,\n' : ''}    version: envelope.version,
    latencyMs: envelope.latency_ms,
    requestId,
  }
}

function errorOf(status: number, text: string, requestId: string): ServiceError {
  const kind = status === 401 || status === 403 ? 'token' : status === 408 || status === 429 || status >= 500 ? 'unavailable' : 'input'
  let said: { code?: unknown; message?: unknown; hint?: unknown } | undefined
  try {
    said = (JSON.parse(text) as { error?: typeof said }).error
  } catch {
    said = undefined
  }
  const { code, message, hint } = said ?? {}
  return new ServiceError(
    kind,
    typeof code === 'string' ? code : \`HTTP_\${status}\`,
    typeof message === 'string' ? message : \`The service answered with status \${status}.\`,
    { status, hint: typeof hint === 'string' ? hint : null, requestId },
  )
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
`
}

/** TypeScript that makes the sample of the examples. */
export function tsSample(description: ClientDescription): string {
  const sample = exampleSample(description)
  if (sample !== undefined) return `const sample = ${JSON.stringify(sample, null, 2)}`
  const { inputs } = description
  const zeros = ({ type, shape }: ClientPort) => {
    const zero = type === 'string' ? "''" : type === 'bool' ? 'false' : '0'
    return shape.reduceRight<string>((inner, size) => `Array.from({ length: ${size ?? 1} }, () => ${inner})`, zero)
  }
  const [only] = inputs
  if (only && inputs.length === 1) return `const sample = ${zeros(only)}`
  return `const sample = {\n${inputs.map((port) => `  ${JSON.stringify(port.name)}: ${zeros(port)},`).join('\n')}\n}`
}

/** Name of the package. */
export function tsPackageName(service: string): string {
  return `${identifier(service, '-')}-client`
}
