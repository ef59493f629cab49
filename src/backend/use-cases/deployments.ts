import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { carriedPreprocessing } from '../../contract/carried-preprocessing.ts'
import type { Deployment } from '../../contract/deployment.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import type { ProcedureArguments } from '../../contract/procedures.ts'
import type { StoredDeployment } from '../../storage/deployment-repository.ts'
import { readyDevice } from '../devices/agent-work.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import type { JobContext } from '../jobs/job-queue.ts'
import { announce, type Services } from '../services.ts'
import { datasetSource } from './dataset-source.ts'

/** A service answers one sample within this, or something is wrong with it. */
const PREDICT_TIMEOUT_MS = 30_000
/** Answers larger than this are not shown in a window. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** Serving builds on devices, reached through the SSH tunnel. */
export function deploymentHandlers(services: Services): HandlersOf<'deploy'> & HandlersOf<'deployments'> {
  const { deployments, sessions, forwards, queue } = services
  const shown = (stored: StoredDeployment): Deployment => {
    const port = forwards.localPort(stored.id)
    return { ...stored, localUrl: port === null ? null : localUrl(port) }
  }
  const connect = async (id: string): Promise<{ url: string; token: string }> => {
    const stored = deployments.get(id)
    const session = await sessions.open(stored.deviceId)
    const token = await session.services.token(stored.service)
    const port = await forwards.open(id, stored.deviceId, session, stored.port, `service ${stored.service}`)
    return { url: localUrl(port), token }
  }

  return {
    'deploy.start': (input) => {
      const model = services.models.get(input.modelId)
      const device = services.devices.get(input.deviceId)
      const service = input.service ?? serviceName(model.name)
      const jobId = queue.start({
        kind: 'deploy.start',
        title: `Serve ${model.name} on ${device.name} as ${service}`,
        machine: { key: services.machineKey(device), mode: 'shared' },
        run: async (context) => shown(await deploy(services, model, { ...input, service }, context)),
      })
      return { jobId }
    },
    'deployments.list': () => deployments.list().map(shown),
    'deployments.status': async ({ id }) => {
      const stored = deployments.get(id)
      const status = await (await sessions.open(stored.deviceId)).services.status(stored.service)
      if (status.state !== stored.state) {
        deployments.setState(id, status.state)
        announce(services, 'deployments')
      }
      return status
    },
    'deployments.stop': async ({ id }) => {
      const stored = deployments.get(id)
      forwards.close(id)
      const status = await (await sessions.open(stored.deviceId)).services.stop(stored.service)
      deployments.setState(id, status.state)
      announce(services, 'deployments')
      return status
    },
    'deployments.restart': async ({ id }) => {
      const stored = deployments.get(id)
      forwards.close(id)
      const status = await (await sessions.open(stored.deviceId)).services.restart(stored.service)
      deployments.setState(id, status.state)
      announce(services, 'deployments')
      return status
    },
    'deployments.logs': async ({ id, lines }) => {
      const stored = deployments.get(id)
      return { text: await (await sessions.open(stored.deviceId)).services.logs(stored.service, lines) }
    },
    'deployments.connect': ({ id }) => connect(id),
    'deployments.predict': async ({ id, datasetId, index }) => {
      const deployment = deployments.get(id)
      const model = services.models.get(deployment.modelId)
      const raw = Object.keys(deployment.preprocessing).length > 0
      const { blobs, layout } = services
      const stored = datasetSource(services.datasets.get(datasetId), (sha256) => blobs.path(sha256))
      // A service that preprocesses itself gets values in the shape its own description says.
      const source = raw ? { ...stored, preprocessing: deployment.preprocessing } : stored
      const sample = await runEngine(
        { command: 'read-sample', source, modelPath: blobs.path(model.sha256), index, raw },
        { entry: layout.engineEntry },
      )
      const { url, token } = await connect(id)
      const started = performance.now()
      const answer = await postJson(`${url}/predict`, token, { inputs: sample.inputs })
      return { ...answer, expected: sample.label, roundTripMs: performance.now() - started }
    },
    'deployments.remove': async ({ id }) => {
      const stored = deployments.get(id)
      forwards.close(id)
      await (await sessions.open(stored.deviceId)).services.remove(stored.service)
      deployments.remove(id)
      announce(services, 'deployments')
      return {}
    },
  }
}

async function deploy(
  services: Services,
  model: Model,
  input: ProcedureArguments<'deploy.start'> & { readonly service: string },
  context: JobContext,
): Promise<StoredDeployment> {
  const { deviceId, service } = input
  const preprocessing = input.preprocessing ?? carriedPreprocessing(model.report.metadata) ?? {}
  const ready = await readyDevice(services, deviceId, { models: [model], datasets: [] }, context)
  const measured = services.measurements.benchmarks(model.id).find((benchmark) => benchmark.deviceId === deviceId)
  const evaluated = services.measurements.evaluations(model.id)
  const onDevice = evaluated.find((evaluation) => evaluation.deviceId === deviceId) ?? evaluated[0]
  context.progress({ phase: 'starting the service', done: 0, total: null, unit: '' })
  const { port } = await ready.session.services.deploy(
    {
      service,
      modelName: model.name,
      model: { sha256: model.sha256, sizeBytes: model.sizeBytes, path: services.blobs.path(model.sha256) },
      version: model.sha256.slice(0, 12),
      port: input.port ?? null,
      preprocessing,
      labels: model.report.labels,
      accuracy: onDevice?.metrics.accuracy ?? null,
      latencyP50Ms: measured?.latencyMs.p50 ?? null,
      threads: 1,
    },
    context,
    context.signal,
  )
  const stored = services.deployments.put({
    id: randomUUID(),
    service,
    deviceId,
    modelId: model.id,
    port,
    preprocessing,
    createdAt: new Date().toISOString(),
  })
  announce(services, 'deployments')
  return stored
}

function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`
}

/** A service name from a model's name: lower case, everything else a dash. */
function serviceName(name: string): string {
  const slug = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '')
  return slug === '' ? 'model' : slug
}

async function postJson(url: string, token: string, body: unknown): Promise<{ httpStatus: number; response: unknown }> {
  const text = JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const failed = (reason: string) =>
      reject(
        new EdgesmithError('SERVICE_NOT_RUNNING', `The service did not answer: ${reason}`, {
          hint: 'Look at its log, then start it again.',
        }),
      )
    const outgoing = request(
      url,
      {
        method: 'POST',
        timeout: PREDICT_TIMEOUT_MS,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      (incoming) => {
        const chunks: Buffer[] = []
        let size = 0
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > MAX_ANSWER_BYTES) incoming.destroy(new Error('the answer is larger than 16 MB'))
          else chunks.push(chunk)
        })
        incoming.on('error', (error) => failed(error.message))
        incoming.on('end', () => {
          try {
            resolve({ httpStatus: incoming.statusCode ?? 0, response: JSON.parse(Buffer.concat(chunks).toString('utf8')) })
          } catch {
            failed('the answer is not JSON')
          }
        })
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${PREDICT_TIMEOUT_MS / 1000} s`)))
    outgoing.on('error', (error) => failed(error.message))
    outgoing.end(text)
  })
}
