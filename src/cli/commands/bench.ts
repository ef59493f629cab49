import { type Benchmark, benchSettingsSchema } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { procedures } from '../../contract/procedures.ts'
import { benchText } from '../bench-text.ts'
import type { CommandContext } from '../command.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, lengthOptions, lengthSettings, runtimeOptions, runtimeSettings } from '../common-options.ts'
import { checkGates, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { type OptionValues, setting, settingList } from '../option.ts'
import { findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'

const { shape } = benchSettingsSchema

/** As many samples as possible: for how long, where neither runs nor seconds are given. */
const OFFLINE_SECONDS = 10
/** `--scenario batch` without sizes asks for the usual ones. */
const BATCHES = procedures['sweep.start'].input.shape.batches.parse(undefined)

const options = {
  scenario: setting(
    'NAME',
    shape.scenario,
    'single: one after another; batch: the same over batch sizes; offline: as much as possible; server: random arrivals; http: through the REST server',
  ),
  rate: setting('N', shape.rate.unwrap(), shape.rate.description),
  connections: setting('N', shape.connections),
  streams: setting('N', shape.streams),
  batch: settingList('N[,N…]', shape.batch, 'batch sizes, one benchmark each'),
  threads: settingList('N[,N…]', shape.threads, 'threads inside an operator, one benchmark each'),
  ...lengthOptions,
  ...runtimeOptions,
  device: deviceOption,
  'max-latency-ms': gateOptions['max-latency-ms'],
  'max-size-bytes': gateOptions['max-size-bytes'],
}

export const benchCommand = defineCommand({
  name: 'bench',
  summary: 'Latency and throughput of a model, measured on a device',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options,
  notes: [
    'With several batch sizes or thread counts every combination is measured, and --json prints {"runs": […]}.',
    'server needs --rate; http takes --rate or --connections. With a rate latency counts from the moment a request was due, else from sending it.',
    `offline lasts ${OFFLINE_SECONDS} s where neither --runs nor --seconds is given; --scenario batch without --batch measures ${BATCHES.join(', ')}.`,
    '--runtime tensorrt needs a device with trtexec (a Jetson) and the scenario single or batch. The first run builds the engine, which takes minutes; it stays on the device.',
  ],
  examples: [
    'bench model.onnx',
    'bench model.onnx --batch 1,2,4 --threads 1,2 --device pi5 --json',
    'bench model.onnx --scenario server --rate 100 --seconds 30',
    'bench model-int8.onnx --runtime tensorrt --device orin',
  ],
  run: async (context, given, { model: modelText }) => {
    const device = await findDevice(context, given.device)
    const model = await findModel(context, modelText)
    const { sweepId, runs } = await measure(context, given, model.id, device.id)
    const gates = runs.flatMap((run) =>
      checkGates(given, {
        model: gateName(model, run, runs.length),
        sizeBytes: model.sizeBytes,
        accuracyDrop: null,
        latencyMs: run.latencyMs,
        speedup: null,
      }),
    )
    const documents = runs.map((run) => ({ model: model.name, device: device.name, scenario: run.settings.scenario, ...run }))
    const [only] = documents
    return {
      document: { ...(only && sweepId === null ? only : { sweepId, runs: documents }), ...(gates.length > 0 && { gates }) },
      text: [benchText(model.name, device.name, runs), ...(gates.length > 0 ? ['', gateLines(gates)] : [])].join('\n'),
      failure: gateFailure(gates),
    }
  },
})

/** One benchmark, or a sweep where there are several batch sizes or thread counts. */
async function measure(
  context: CommandContext,
  given: OptionValues<typeof options>,
  modelId: string,
  deviceId: string,
): Promise<{ sweepId: string | null; runs: readonly Benchmark[] }> {
  const { scenario, rate, connections, streams } = given
  const length = lengthSettings(given)
  const untilEnough = scenario === 'offline' && length.runs === undefined && length.seconds === undefined
  const settings = {
    ...length,
    ...runtimeSettings(given),
    scenario,
    rate,
    connections,
    streams,
    ...(untilEnough && { seconds: OFFLINE_SECONDS }),
  }
  const batches = given.batch ?? (scenario === 'batch' ? BATCHES : [1])
  const threadCounts = given.threads ?? [1]
  const [batch, threads] = [batches[0], threadCounts[0]]
  if (batches.length * threadCounts.length === 1) {
    return { sweepId: null, runs: [await runJob(context, 'bench.start', { modelId, deviceId, settings: { ...settings, batch, threads } })] }
  }
  return runJob(context, 'sweep.start', { modelId, deviceId, settings, batches: [...batches], threadCounts: [...threadCounts] })
}

function gateName(model: Model, { settings }: Benchmark, count: number): string {
  return count === 1 ? model.name : `${model.name} (batch ${settings.batch}, threads ${settings.threads})`
}
