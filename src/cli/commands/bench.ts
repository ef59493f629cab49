import { formatBytes, formatCount, formatInterval, formatMs, formatSignificant } from '../../backend/report/quantities.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import { type Benchmark, benchSettingsSchema } from '../../contract/measurement.ts'
import type { Model } from '../../contract/model.ts'
import { defineCommand } from '../command.ts'
import { deviceOption, lengthOptions, lengthSettings } from '../common-options.ts'
import { checkGates, gateFailure, gateLines, gateOptions } from '../gates.ts'
import { settingList, type ValueOption } from '../option.ts'
import { findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'
import { factList, textTable } from '../text-table.ts'

const { shape } = benchSettingsSchema

/** Scenarios that can be measured. */
const scenarios = ['single'] as const

const scenarioOption: ValueOption<(typeof scenarios)[number]> = {
  kind: 'value',
  placeholder: 'NAME',
  description: 'single: one inference after another (default single)',
  read: (value) => {
    const known = scenarios.find((scenario) => scenario === value)
    if (known) return known
    throw new EdgesmithError('USAGE', `This version measures the scenario ${scenarios.join(', ')}, found "${value}"`, {
      hint: 'Leave out --scenario. A sweep over batch sizes is --batch 1,2,4.',
    })
  },
}

export const benchCommand = defineCommand({
  name: 'bench',
  summary: 'Latency and throughput of a model, measured on a device',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    scenario: scenarioOption,
    batch: settingList('N[,N…]', shape.batch, 'batch sizes, one benchmark each'),
    threads: settingList('N[,N…]', shape.threads, 'threads inside an operator, one benchmark each'),
    ...lengthOptions,
    device: deviceOption,
    'max-latency-ms': gateOptions['max-latency-ms'],
    'max-size-bytes': gateOptions['max-size-bytes'],
  },
  notes: ['With several batch sizes or thread counts every combination is measured, and --json prints {"runs": […]}.'],
  examples: ['bench model.onnx', 'bench model.onnx --batch 1,2,4 --threads 1,2 --device pi5 --json'],
  run: async (context, options, { model: modelText }) => {
    const device = await findDevice(context, options.device)
    const model = await findModel(context, modelText)
    const runs: Benchmark[] = []
    for (const batch of options.batch ?? [undefined]) {
      for (const threads of options.threads ?? [undefined]) {
        runs.push(
          await runJob(context, 'bench.start', {
            modelId: model.id,
            deviceId: device.id,
            settings: { ...lengthSettings(options), batch, threads },
          }),
        )
      }
    }
    const gates = runs.flatMap((run) =>
      checkGates(options, {
        model: gateName(model, run, runs.length),
        sizeBytes: model.sizeBytes,
        accuracyDrop: null,
        latencyMs: run.latencyMs,
        speedup: null,
      }),
    )
    const documents = runs.map((run) => ({ model: model.name, device: device.name, scenario: options.scenario ?? 'single', ...run }))
    const [only] = documents
    return {
      document: { ...(only && runs.length === 1 ? only : { runs: documents }), ...(gates.length > 0 && { gates }) },
      text: [describe(model, device.name, runs), ...(gates.length > 0 ? ['', gateLines(gates)] : [])].join('\n'),
      failure: gateFailure(gates),
    }
  },
})

function gateName(model: Model, { settings }: Benchmark, count: number): string {
  return count === 1 ? model.name : `${model.name} (batch ${settings.batch}, threads ${settings.threads})`
}

function describe(model: Model, device: string, runs: readonly Benchmark[]): string {
  const [first] = runs
  const warnings = [...new Set(runs.flatMap((run) => run.warnings))]
  return [
    `${model.name} on ${device}`,
    '',
    textTable(
      ['batch', 'threads', 'p50', '95 % interval', 'p90', 'p95', 'p99', 'mean', 'per second', 'samples'].map((title) => ({
        title,
        align: 'right',
      })),
      runs.map(({ settings, latencyMs, throughputPerSecond, samples }) => [
        String(settings.batch),
        String(settings.threads),
        formatMs(latencyMs.p50),
        formatInterval(latencyMs.ci.p50, formatMs),
        formatMs(latencyMs.p90),
        formatMs(latencyMs.p95),
        formatMs(latencyMs.p99),
        formatMs(latencyMs.mean),
        formatSignificant(throughputPerSecond),
        formatCount(samples),
      ]),
    ),
    '',
    ...(first ? [environmentFacts(first)] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ].join('\n')
}

function environmentFacts({ environment, loadMs, firstInferenceMs, peakRssBytes }: Benchmark): string {
  return factList([
    ['load', formatMs(loadMs)],
    ['first inference', formatMs(firstInferenceMs)],
    ['peak memory', formatBytes(peakRssBytes)],
    ['processor', `${environment.cpu}, ${environment.logicalCores} logical cores`],
    ['software', `ONNX Runtime ${environment.onnxRuntimeVersion}, Node.js ${environment.nodeVersion}, ${environment.system}`],
  ])
}
