import { z } from 'zod'
import { preprocessingSchema } from '../../contract/dataset.ts'
import type { Deployment } from '../../contract/deployment.ts'
import { EdgesmithError, toErrorReport } from '../../contract/errors.ts'
import { sha256Schema } from '../../contract/names.ts'
import { type ServiceLive, type ServiceReport, serviceLiveSchema } from '../../contract/service-protocol.ts'
import { jsonBody } from '../../platform/http-call.ts'
import type { Services as DeviceServices } from '../../remote/device-session.ts'
import type { StoredDeployment } from '../../storage/deployment-repository.ts'
import type { HandlersOf } from '../handlers.ts'
import { runEngine } from '../jobs/engine-process.ts'
import { announce, type Services } from '../services.ts'
import { checkOrder, deployService, freeServiceName } from '../serving/deploy-service.ts'
import { ServiceAccess } from '../serving/service-access.ts'
import { noteReport, statusOf } from '../serving/service-reports.ts'
import type { MadeSecrets } from '../serving/service-settings.ts'
import { datasetSource } from './dataset-source.ts'

/** What `GET /model_info` says of the version that serves. */
const servedSchema = z.object({ sha256: sha256Schema, preprocessing: preprocessingSchema })

/** Serving builds on devices, reached through the SSH tunnel. */
export function deploymentHandlers(services: Services): HandlersOf<'deploy'> & HandlersOf<'deployments'> {
  const { deployments, forwards } = services
  const access = new ServiceAccess(services)
  const shown = <T extends Omit<Deployment, 'localUrl'>>(stored: T): T & Pick<Deployment, 'localUrl'> => {
    const port = forwards.localPort(stored.id)
    return { ...stored, localUrl: port === null ? null : localUrl(port) }
  }
  /** What is done to a service on its device, whose new state is kept. */
  const onDevice = async (id: string, work: (of: DeviceServices, service: string) => Promise<ServiceReport>): Promise<ServiceReport> => {
    const { deviceId, service } = deployments.get(id)
    const session = await services.sessions.open(deviceId)
    const report = await work(session.services, service)
    noteReport(services, id, report)
    return report
  }
  const live = (id: string) => readLive(access, deployments.get(id))
  const status = async (id: string, report: ServiceReport) =>
    statusOf(report, report.state === 'running' ? await liveOrNull(live, id) : null)

  return {
    ...deployHandlers(services, shown),
    'deployments.list': () => deployments.list().map(shown),
    'deployments.status': async ({ id }) => status(id, await onDevice(id, (of, service) => of.report(service))),
    'deployments.report': ({ id }) => onDevice(id, (of, service) => of.report(service)),
    'deployments.live': ({ id }) => live(id),
    'deployments.rollback': ({ id }) => onDevice(id, (of, service) => of.traffic(service, { action: 'rollback' })),
    'deployments.traffic': ({ id, traffic }) => onDevice(id, (of, service) => of.traffic(service, traffic)),
    'deployments.forgetFailure': ({ id, release }) => onDevice(id, (of, service) => of.forgetFailure(service, release)),
    'deployments.stop': async ({ id }) => {
      access.forget(id)
      return status(id, await onDevice(id, (of, service) => of.stop(service)))
    },
    'deployments.restart': async ({ id }) => {
      access.forget(id)
      return status(id, await onDevice(id, (of, service) => of.start(service)))
    },
    'deployments.logs': async ({ id, lines }) => {
      const stored = deployments.get(id)
      return { text: await (await services.sessions.open(stored.deviceId)).services.logs(stored.service, lines) }
    },
    'deployments.connect': async ({ id }) => {
      const { port, token } = await access.connect(id)
      return { url: localUrl(port), token }
    },
    'deployments.describe': async ({ id }) => {
      const [modelInfo, openApi] = [await access.ask(id, '/model_info'), await access.ask(id, '/openapi.json')]
      for (const { status, body } of [modelInfo, openApi]) if (status !== 200) throw odd(deployments.get(id), status, body)
      return { modelInfo: modelInfo.body, openApi: openApi.body }
    },
    'deployments.ask': async ({ id, path, body, image }) => {
      const sent = image ? { contentType: image.contentType, content: Buffer.from(image.base64, 'base64') } : jsonBody(body)
      // Not counted: opening the tunnel.
      await access.connect(id)
      const started = performance.now()
      const { status: httpStatus, body: response } = await access.ask(id, image ? '/predict' : path, sent)
      return { httpStatus, response, roundTripMs: performance.now() - started }
    },
    'deployments.predict': async ({ id, datasetId, index }) => {
      // Which version serves is asked, not remembered: it may have been taken back by itself. The tunnel is open then, too.
      const served = servedSchema.safeParse((await access.ask(id, '/model_info')).body).data
      const sample = await readSample(services, deployments.get(id), served, datasetId, index)
      const started = performance.now()
      const { status: httpStatus, body: response } = await access.ask(id, '/predict', jsonBody({ inputs: sample.inputs }))
      return { httpStatus, response, expected: sample.label, roundTripMs: performance.now() - started }
    },
    'deployments.remove': async ({ id }) => {
      const stored = deployments.get(id)
      access.forget(id)
      await (await services.sessions.open(stored.deviceId)).services.remove(stored.service)
      deployments.remove(id)
      announce(services, 'deployments')
      return {}
    },
  }
}

function deployHandlers(
  services: Services,
  shown: <T extends Omit<Deployment, 'localUrl'>>(stored: T) => T & Pick<Deployment, 'localUrl'>,
): HandlersOf<'deploy'> {
  /** Of jobs of this process whose caller did not ask for them yet. */
  const secrets = new Map<string, MadeSecrets>()
  return {
    'deploy.start': (input) => {
      const model = services.models.get(input.modelId)
      const device = services.devices.get(input.deviceId)
      const order = { ...input, service: input.service ?? freeServiceName(services, model, device.id) }
      const gate = checkOrder(services, model, order)
      const jobId = services.queue.start({
        kind: 'deploy.start',
        title: `Serve ${model.name} on ${device.name} as ${order.service}`,
        machine: { key: services.machineKey(device), mode: 'shared' },
        // The machine may be done before it hears that it was cancelled.
        endsLate: true,
        run: async (context) => {
          const { deployed, made } = await deployService(services, model, order, gate, context)
          if (made.apiKeys.length > 0 || made.webhookSecret !== null) secrets.set(context.jobId, made)
          return shown(deployed)
        },
      })
      return { jobId }
    },
    'deploy.secrets': ({ jobId }) => {
      const made = secrets.get(jobId)
      secrets.delete(jobId)
      return { apiKeys: (made?.apiKeys ?? []).map((key) => ({ ...key })), webhookSecret: made?.webhookSecret ?? null }
    },
  }
}

function localUrl(port: number): string {
  return `http://127.0.0.1:${port}`
}

/** @throws EdgesmithError `SERVICE_NOT_RUNNING`, `DEVICE_PROTOCOL` for a service that does not say it */
async function readLive(access: ServiceAccess, stored: StoredDeployment): Promise<ServiceLive> {
  const { status, body } = await access.ask(stored.id, '/control/live')
  const parsed = serviceLiveSchema.safeParse(body)
  if (status !== 200 || !parsed.success) throw odd(stored, status, body)
  return parsed.data
}

/** Its state is known all the same. */
async function liveOrNull(live: (id: string) => Promise<ServiceLive>, id: string): Promise<ServiceLive | null> {
  try {
    return await live(id)
  } catch (error) {
    if (['SERVICE_NOT_RUNNING', 'DEVICE_PROTOCOL'].includes(toErrorReport(error).code)) return null
    throw error
  }
}

function odd({ service, device }: StoredDeployment, status: number, body: unknown): EdgesmithError {
  const said = typeof body === 'object' && body !== null && 'error' in body ? `: ${JSON.stringify(body.error).slice(0, 300)}` : ''
  return new EdgesmithError('DEVICE_PROTOCOL', `${service} on ${device} answers with status ${status}${said}`, {
    hint: 'It may have been deployed by another version of Edgesmith: deploy the model again.',
    details: { status },
  })
}

/** A sample as the service takes it: a service that preprocesses itself gets values in the shape its own description says. */
async function readSample(
  services: Services,
  deployment: StoredDeployment,
  served: z.output<typeof servedSchema> | undefined,
  datasetId: string,
  index: number,
) {
  const { blobs, layout, models } = services
  const model = (served && models.findByHash(served.sha256)) ?? models.get(deployment.modelId)
  const preprocessing = served?.preprocessing ?? deployment.preprocessing
  const raw = Object.keys(preprocessing).length > 0
  const stored = datasetSource(services.datasets.get(datasetId), (sha256) => blobs.path(sha256))
  const source = raw ? { ...stored, preprocessing } : stored
  return runEngine({ command: 'read-sample', source, modelPath: blobs.path(model.sha256), index, raw }, { entry: layout.engineEntry })
}
