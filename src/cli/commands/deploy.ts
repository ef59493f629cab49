import type { Deployment } from '../../contract/deployment.ts'
import { LOCAL_DEVICE_ID } from '../../contract/device.ts'
import type { Model } from '../../contract/model.ts'
import { serviceNameSchema } from '../../contract/names.ts'
import { procedures } from '../../contract/procedures.ts'
import { type CommandContext, defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing } from '../common-options.ts'
import { checkGates, type GateLimits, type GateResult, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { required, setting, text } from '../option.ts'
import { findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { factList } from '../text-table.ts'

export const deployCommand = defineCommand({
  name: 'deploy',
  summary: 'Serve a model or build on a device as a REST API',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    device: required(text('NAME', 'the device')),
    name: setting('SERVICE', serviceNameSchema, 'name of the service (default: made from the model’s name); an existing one is replaced'),
    port: setting('N', procedures['deploy.start'].input.shape.port.unwrap(), 'loopback port on the device (default: a free one)'),
    'max-latency-ms': {
      ...gateOptions['max-latency-ms'],
      description: 'measure on the device first; exit 1 without deploying when latency is above MS (p95)',
    },
    'max-size-bytes': { ...gateOptions['max-size-bytes'], description: 'exit 1 without deploying when the file is larger than N bytes' },
    preprocess: {
      ...preprocessOption,
      description: 'JSON file with what the service does to values it is sent (default: what the build carries from its calibration data)',
    },
  },
  notes: [
    'The service listens on the device’s loopback only and asks for a token. edgesmith connect SERVICE opens the way to it and prints both.',
  ],
  examples: ['deploy model-int8.onnx --device pi5 --name classifier'],
  run: async (context, options, { model: modelText }) => {
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const device = await findDevice(context, options.device)
    const model = await findModel(context, modelText)
    const gates = await checkBeforeDeploying(context, options, model, device.id)
    const failure = gateFailure(gates)
    if (failure) return { document: { model: model.name, device: device.name, deployed: false, gates }, text: gateLines(gates), failure }
    const deployment = await runJob(context, 'deploy.start', {
      modelId: model.id,
      deviceId: device.id,
      service: options.name,
      port: options.port,
      preprocessing,
    })
    const connect = `edgesmith connect ${deployment.service} --device ${deployment.device}`
    return {
      document: { ...deployment, url: deviceUrl(deployment), connect, ...(gates.length > 0 && { gates }) },
      text: factList([
        ['service', deployment.service],
        ['model', deployment.model],
        ['address', `${deviceUrl(deployment)} on ${deployment.deviceId === LOCAL_DEVICE_ID ? 'this computer' : deployment.device}`],
        ['endpoints', 'GET /health, GET /model_info, POST /predict, POST /predict/batch'],
        ['connect', `${connect} (prints the token)`],
      ]),
    }
  },
})

/** Limits are checked on the device itself, before anything is replaced there. */
async function checkBeforeDeploying(context: CommandContext, limits: GateLimits, model: Model, deviceId: string): Promise<GateResult[]> {
  const measured =
    limits['max-latency-ms'] === undefined ? null : await runJob(context, 'bench.start', { modelId: model.id, deviceId, settings: {} })
  return checkGates(limits, {
    model: model.name,
    sizeBytes: model.sizeBytes,
    accuracyDrop: null,
    latencyMs: measured?.latencyMs ?? null,
    speedup: null,
  })
}

/** Address of a service on the machine it runs on. */
export function deviceUrl({ port }: Deployment): string {
  return `http://127.0.0.1:${port}`
}
