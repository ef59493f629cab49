import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Release, ServiceConfigFile } from '../../contract/service.ts'
import { parseJson } from '../../core/parse-json.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import { callHttp, jsonBody, jsonOf } from '../../platform/http-call.ts'
import { startProcess } from '../../remote/local-process.ts'
import { LineTooLong, readLines } from '../../remote/read-lines.ts'
import type { RunningProcess } from '../../remote/running-process.ts'
import { exampleRequests } from './example-request.ts'

const shape = z.array(z.union([z.int(), z.string(), z.null()]))

/** `GET /model_info` of our server, as far as exports need it. */
const modelInfoSchema = z.object({
  inputs: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      shape,
      /** Without the batch. */
      sample_shape: shape,
      /** Before preprocessing. */
      sent_shape: shape,
      fields: z.array(z.object({ name: z.string(), index: z.int(), min: z.number().nullable(), max: z.number().nullable() })).default([]),
    }),
  ),
  outputs: z.array(z.object({ name: z.string(), type: z.string(), shape })),
  /** How samples share a run; found by running it. */
  batching: z.enum(['open', 'fixed', 'single']),
  limits: z.object({ batch_samples: z.int(), body_bytes: z.int() }),
  onnxruntime_version: z.string(),
})
export type ServedModelInfo = z.infer<typeof modelInfoSchema>

/** A model as our server describes it. */
export interface ServedModel {
  readonly info: ServedModelInfo
  /** `GET /openapi.json`: OpenAPI 3.1 of exactly this model. */
  readonly openApi: Readonly<Record<string, unknown>>
  /** A body for `POST /predict`, and what was answered to it; null where no made-up one is taken. */
  readonly example: { readonly request: object; readonly answer: unknown } | null
  /** Of the server with the model, after it answered. */
  readonly peakRssBytes: number
}

/** Lines of the server's log that say how far it is. */
const logLineSchema = z.union([
  z.object({ event: z.literal('started'), port: z.int() }),
  z.object({ event: z.literal('failed'), code: z.string(), message: z.string() }),
])

const longestLine = 1_000_000
const answerTimeoutMs = 60_000
/** Descriptions of models with thousands of fields, and answers of large outputs. */
const mostAnswerBytes = 64_000_000

export interface ServeOptions {
  readonly service: string
  readonly release: Release
  readonly releaseId: string
  readonly modelPath: string
  /** The built agent. */
  readonly agentFolder: string
  readonly signal: AbortSignal
}

/**
 * Serves a model on this computer for a moment, and asks what it is: what cannot be served is not exported, and everything that exports say
 * of a model is what its server says.
 *
 * @throws EdgesmithError `NOT_EXPORTABLE` when the server does not start or answer, `JOB_CANCELLED`
 */
export async function describeByServing(options: ServeOptions): Promise<ServedModel> {
  const { agentFolder, signal } = options
  const folder = await mkdtemp(join(tmpdir(), 'edgesmith-export-'))
  const token = randomBytes(24).toString('hex')
  let server: RunningProcess | undefined
  try {
    const configPath = await writeConfig(folder, token, options)
    throwIfCancelled(signal)
    // It ends with our end of its standard input, however this process ends.
    server = startProcess(process.execPath, [join(agentFolder, 'agent.cjs'), 'serve', configPath, '--attached'], agentFolder)
    const { abandon } = server
    signal.addEventListener('abort', abandon, { once: true })
    try {
      const port = await startedPort(server)
      return await ask(port, token, options)
    } finally {
      signal.removeEventListener('abort', abandon)
    }
  } catch (error) {
    throwIfCancelled(signal)
    throw error
  } finally {
    server?.abandon()
    await server?.ended
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

async function writeConfig(folder: string, token: string, { service, release, releaseId, modelPath }: ServeOptions): Promise<string> {
  const config: ServiceConfigFile = {
    ...release,
    service,
    modelPath,
    version: releaseId,
    host: '127.0.0.1',
    port: 0,
    tokenPath: join(folder, 'token'),
    statePath: join(folder, 'state.json'),
  }
  await writeFile(config.tokenPath, token, { mode: 0o600 })
  const path = join(folder, 'service.json')
  await writeFile(path, JSON.stringify(config), { mode: 0o600 })
  return path
}

async function startedPort(server: RunningProcess): Promise<number> {
  // Both streams: why it failed stands in standard error.
  const errors = lastLine(server.stderr)
  try {
    for await (const line of readLines(server.stdout, longestLine)) {
      const said = logLineSchema.safeParse(parseJson(line)).data
      if (said?.event !== 'started') continue
      // What it says later nobody reads, and it must not wait for that.
      server.stdout.resume()
      return said.port
    }
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
  }
  const said = logLineSchema.safeParse(parseJson(await errors)).data
  throw notExportable(said?.event === 'failed' ? said.message : 'the server ended without saying why')
}

async function lastLine(stream: RunningProcess['stderr']): Promise<string> {
  let last = ''
  try {
    for await (const line of readLines(stream, longestLine)) if (line !== '') last = line
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error
    stream.resume()
  }
  return last
}

async function ask(port: number, token: string, { release, signal }: ServeOptions): Promise<ServedModel> {
  const call = async (path: string, body?: object) => {
    const sent = { path, token, body: body && jsonBody(body), totalMs: answerTimeoutMs, mostBytes: mostAnswerBytes, signal }
    const reply = await callHttp({ host: '127.0.0.1', port, ...sent })
    return { status: reply.status, body: jsonOf(reply) }
  }
  const info = modelInfoSchema.parse((await call('/model_info')).body)
  const openApi = z.record(z.string(), z.unknown()).parse((await call('/openapi.json')).body)
  let example: ServedModel['example'] = null
  for (const request of exampleRequests(release, info)) {
    const answer = await call('/predict', request)
    if (answer.status !== 200) continue
    example = { request, answer: answer.body }
    break
  }
  const { peak_rss_bytes: peakRssBytes } = z.object({ peak_rss_bytes: z.number() }).parse((await call('/stats')).body)
  return { info, openApi, example, peakRssBytes }
}

function notExportable(reason: string): EdgesmithError {
  return new EdgesmithError('NOT_EXPORTABLE', `The model cannot be served, so it was not exported: ${reason}`, {
    hint: 'Try it here first: edgesmith serve MODEL',
  })
}
