import { z } from 'zod'
import type { Deployed, Deployment } from '../../contract/deployment.ts'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { Model } from '../../contract/model.ts'
import { serviceNameSchema } from '../../contract/names.ts'
import { procedures } from '../../contract/procedures.ts'
import { gateCheckSchema } from '../../contract/routing.ts'
import { serviceFieldSchema } from '../../contract/service.ts'
import { type CommandContext, type CommandResult, defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { checkGates, type GateLimits, type GateResult, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { flag, required, setting, text } from '../option.ts'
import { readJsonFile } from '../read-json-file.ts'
import { findDataset, findDevice, findModel } from '../references.ts'
import { runStartedJob, startJob } from '../run-job.ts'
import { rolloutOf, rolloutOptions } from '../serving/rollout-options.ts'
import { awaitRollout } from '../serving/rollout-wait.ts'
import { settingsChoices, settingsOptions } from '../serving/service-options.ts'
import { checkLines, logTail, supervisionText } from '../serving/service-text.ts'
import { factList } from '../text-table.ts'

const { shape } = procedures['deploy.start'].input

/** What a model is served with; the same for `deploy` and `serve`. */
export const servingOptions = {
  port: setting('N', shape.port.unwrap(), 'port (default: the one it has, or a free one)'),
  data: text(
    'DATASET',
    'samples for golden answers, drift and names and ranges of fields (default: those of the release before it, else what the build was calibrated with)',
  ),
  preprocess: {
    ...preprocessOption,
    description: 'JSON file with what the service does to values it is sent (default: what the build carries from its calibration data)',
  },
  fields: text('FILE', 'JSON file with names and ranges of values: [{"input", "index", "name", "min", "max"}, …] (default: from the data)'),
  embedding: text('OUTPUT', 'output that is answered only where a request says "embedding": true'),
  threads: setting('N', shape.threads.unwrap(), 'threads of one run (default 1)'),
  workers: setting('N', shape.workers.unwrap(), 'threads that run the model beside the one that answers (default: by the time of a run)'),
} as const

interface ServingValues {
  readonly preprocess: string | undefined
  readonly data: string | undefined
  readonly fields: string | undefined
  readonly embedding: string | undefined
  readonly threads: number | undefined
  readonly workers: number | undefined
}

/** Reads the files the options name. */
export async function servingInput(context: CommandContext, options: ServingValues) {
  const { embedding, threads, workers } = options
  const preprocessing = await readPreprocessing(context, options.preprocess)
  const fields =
    options.fields === undefined
      ? undefined
      : await readJsonFile(context.workingFolder, options.fields, z.array(serviceFieldSchema).max(10_000), 'USAGE')
  const dataset = options.data === undefined ? null : await findDataset(context, options.data)
  return { preprocessing, fields, datasetId: dataset?.id, embedding, threads, workers }
}

export const deployCommand = defineCommand({
  name: 'deploy',
  summary: 'Serve a model or build on a device as a REST API; an existing service gets it as a new release',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    device: required(text('NAME', 'the device')),
    name: setting(
      'SERVICE',
      serviceNameSchema,
      'name of the service (default: made from the model’s name); an existing one gets a new release',
    ),
    ...servingOptions,
    ...rolloutOptions,
    wait: flag('wait until watch or canary are decided; exit 1 when the release was taken back'),
    'max-latency-ms': {
      ...gateOptions['max-latency-ms'],
      description: 'nothing changes and exit 1 when a run in the server takes longer than MS there (p95)',
    },
    'max-accuracy-drop': {
      ...gateOptions['max-accuracy-drop'],
      description:
        'measure on the device first, with the labels of --data, against the model that serves (else the one it was made from); exit 1 when it loses more than X',
    },
    'max-size-bytes': { ...gateOptions['max-size-bytes'], description: 'exit 1 without deploying when the file is larger than N bytes' },
    'min-speedup': {
      ...gateOptions['min-speedup'],
      description: 'compare on the device first with the same model as --max-accuracy-drop; exit 1 below X times its speed',
    },
    ...settingsOptions,
  },
  notes: [
    'A release is checked beside what serves: files, loading, golden answers, latency. Then it takes its place: at once (and is watched), or by --weight, --canary or --shadow beside it. What serves goes on serving when it fails.',
    'A canary waits for requests, as long as it takes, and --wait with it: every minute it says how many are missing, and how to decide by hand. A watch ends after its seconds.',
    'The service listens on the device’s loopback only, unless --open says otherwise, and always asks for a token or key. edgesmith connect SERVICE opens the way to it and prints both.',
  ],
  examples: [
    'deploy model-int8.onnx --device pi5 --name classifier --wait',
    'deploy better.onnx --device pi5 --name classifier --canary --steps 5,25,50 --step-seconds 300 --data test.npz --max-accuracy-drop 0.01',
    'deploy model.onnx --device pi5 --open pi5.local --api-key phone --rate-limit 50',
  ],
  run: async (context, options, { model: modelText }) => {
    const rollout = rolloutOf(options)
    if (options['max-accuracy-drop'] !== undefined && options.data === undefined) {
      throw new EdgesmithError('USAGE', '--max-accuracy-drop needs --data with labelled samples')
    }
    const device = await findDevice(context, options.device)
    const model = await findModel(context, modelText)
    const existing = await existingService(context, device.id, options.name)
    const input = await servingInput(context, options)
    const settings = settingsChoices(options, existing)
    if (options.system) await askForSudo(context, options.yes, device.name)
    const gates = await checkBeforeDeploying(context, options, model, device.id, existing)
    const missed = gateFailure(gates)
    const facts = { model: model.name, device: device.name }
    if (missed) return { document: { ...facts, deployed: false, gates }, text: gateLines(gates), failure: missed }
    const jobId = await startJob(context, 'deploy.start', {
      ...input,
      modelId: model.id,
      deviceId: device.id,
      service: options.name,
      port: options.port,
      settings,
      rollout,
      gate: { maxLatencyMs: options['max-latency-ms'] ?? null },
      maxAccuracyDrop: options['max-accuracy-drop'],
      supervise: options.system ? 'system' : 'auto',
    })
    let deployment: Deployed
    try {
      deployment = await runStartedJob(context, 'deploy.start', jobId)
    } catch (error) {
      return notDeployed(error, { ...facts, deployed: false, ...(gates.length > 0 && { gates }) })
    }
    const secrets = await (await context.backend()).call('deploy.secrets', { jobId })
    const outcome = options.wait && !deployment.cancelledTooLate ? await awaitRollout(context, deployment) : null
    const connect = `edgesmith connect ${deployment.service} --device ${deployment.device}`
    return {
      document: {
        ...deployment,
        deployed: true,
        url: deviceUrl(deployment),
        connect,
        ...(gates.length > 0 && { gates }),
        ...(secrets.apiKeys.length > 0 && { apiKeys: secrets.apiKeys }),
        ...(secrets.webhookSecret !== null && { webhookSecret: secrets.webhookSecret }),
        ...(outcome && { rollout: outcome.document }),
      },
      text: [
        ...(deployment.cancelledTooLate
          ? [
              `Cancelled too late: the release has taken its place already. edgesmith rollback ${deployment.service} takes it back; a first one goes with edgesmith undeploy ${deployment.service}.`,
              '',
            ]
          : []),
        factList([
          ['service', deployment.service],
          ['model', deployment.model],
          ['version', deployment.release],
          ['address', `${deviceUrl(deployment)} on ${deployment.deviceId === LOCAL_DEVICE_ID ? 'this computer' : deployment.device}`],
          ['open to', openTo(deployment)],
          ['endpoints', 'GET /health, /model_info, /docs, /metrics; POST /predict, /predict/batch; /v2 (Open Inference Protocol)'],
          ['kept by', supervisionText({ ...deployment, survivesReboot: deployment.survivesReboot ?? false })],
          ['connect', `${connect} (prints the token)`],
        ]),
        '',
        [...(gates.length > 0 ? [gateLines(gates)] : []), checkLines(deployment.checks)].join('\n'),
        ...secretLines(secrets),
        ...(outcome ? ['', outcome.text] : []),
      ].join('\n'),
      ...(outcome?.failure && { failure: outcome.failure }),
    }
  },
})

async function existingService(context: CommandContext, deviceId: string, name: string | undefined): Promise<Deployment | undefined> {
  const deployments = await (await context.backend()).call('deployments.list', {})
  return deployments.find(({ service, deviceId: where }) => service === name && where === deviceId)
}

/** Root rights on somebody's board are never taken without being asked for. */
async function askForSudo({ terminal, json }: CommandContext, yes: boolean, device: string): Promise<void> {
  if (yes) return
  if (!terminal.interactive || json) {
    throw new EdgesmithError('USAGE', '--system uses sudo on the device, and nobody is here to be asked', {
      hint: 'Add --yes if that is meant.',
    })
  }
  if (await terminal.confirm(`Use sudo on ${device} to install a system unit for this service?`)) return
  throw new EdgesmithError('JOB_CANCELLED', 'Nothing was changed: sudo was not wanted', {
    hint: 'Leave out --system: no root rights are needed then.',
  })
}

/** Limits that are checked before anything is brought; accuracy and latency are checked while deploying. */
async function checkBeforeDeploying(
  context: CommandContext,
  limits: GateLimits,
  model: Model,
  deviceId: string,
  existing: Deployment | undefined,
): Promise<GateResult[]> {
  const here = { 'max-size-bytes': limits['max-size-bytes'], 'min-speedup': limits['min-speedup'] }
  const subject = { model: model.name, sizeBytes: model.sizeBytes, accuracyDrop: null, latencyMs: null, speedup: null }
  const size = checkGates({ 'max-size-bytes': here['max-size-bytes'] }, subject)
  if (here['min-speedup'] === undefined || gateFailure(size)) return size
  const baselineId = existing?.modelId ?? model.parentId
  if (baselineId === null || baselineId === model.id) {
    throw new EdgesmithError('USAGE', `--min-speedup: there is nothing to compare ${model.name} with`, {
      hint: 'It replaces no other model and was not made from one. Leave the limit out.',
    })
  }
  const jobId = await startJob(context, 'compare.start', { baselineId, modelIds: [model.id], deviceId, settings: {} })
  const { rows } = await runStartedJob(context, 'compare.start', jobId)
  const speedup = rows.find((row) => row.modelId === model.id)?.speedup?.estimate ?? null
  return checkGates(here, { ...subject, speedup })
}

/** The failure with what was checked and what the service said last, where it is known. */
function notDeployed(error: unknown, document: object): CommandResult {
  if (!(error instanceof EdgesmithError)) throw error
  const checks = z.array(gateCheckSchema).safeParse(error.details?.checks)
  const log = typeof error.details?.log === 'string' ? error.details.log : ''
  if (!checks.success && log === '') throw error
  const found = checks.data ?? []
  return {
    document: { ...document, checks: found },
    text: [...(found.length > 0 ? [checkLines(found)] : []), ...(log === '' ? [] : ['Last lines of its log:', logTail(log)])].join('\n'),
    failure: error,
  }
}

function openTo({ settings }: Deployment): string | null {
  return settings?.network ? `the network, as ${settings.network.hosts.join(', ')} (${settings.host})` : null
}

function secretLines({
  apiKeys,
  webhookSecret,
}: {
  readonly apiKeys: readonly { name: string; key: string }[]
  readonly webhookSecret: string | null
}): string[] {
  if (apiKeys.length === 0 && webhookSecret === null) return []
  return [
    '',
    'Shown once and kept nowhere here:',
    factList([
      ...apiKeys.map(({ name, key }) => [`key of ${name}`, key] as const),
      ...(webhookSecret === null ? [] : [['webhook secret', webhookSecret] as const]),
    ]),
  ]
}

/** Address of a service on the machine it runs on. */
export function deviceUrl({ port }: Pick<Deployment, 'port'>): string {
  return `http://127.0.0.1:${port}`
}
