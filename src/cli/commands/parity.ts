import { z } from 'zod'
import { formatDecibels, formatPercent } from '../../backend/report/quantities.ts'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ParityResult } from '../../contract/parity.ts'
import { procedures } from '../../contract/procedures.ts'
import { defineCommand } from '../command.ts'
import { preprocessOption, readPreprocessing, threadsOption } from '../common-options.ts'
import { required, setting, text } from '../option.ts'
import { parityText } from '../parity-text.ts'
import { findDataset, findDevice, findModel } from '../references.ts'
import { runJob } from '../run-job.ts'

const { shape } = procedures['parity.start'].input

export const parityCommand = defineCommand({
  name: 'parity',
  summary: 'Outputs of a build on a device against this computer’s on the same samples',
  positionals: { model: { description: 'path, name or id of a model or build' } },
  options: {
    device: required(text('NAME', 'the device')),
    data: text('DATASET', 'samples to run; left out: made-up inputs, the same on both machines'),
    samples: setting('N', shape.samples, 'samples to run'),
    threads: threadsOption,
    preprocess: preprocessOption,
    'min-sqnr-db': setting('X', z.number().min(0).max(300), 'exit 1 when an output has less signal to noise than X dB'),
    'min-agreement': setting('P', z.number().min(0).max(1), 'exit 1 when fewer than this share of the samples get the same class'),
  },
  notes: [
    'identical: every value is the same. within rounding: what adding in another order explains (90 dB where a model computes in float32, 40 dB in float16 or 8 bits, or one step of an 8-bit grid), and every sample gets the same class. different: anything else; then the layers most likely responsible are named.',
    'Layers come from further runs in which inner tensors are given out.',
  ],
  examples: [
    'parity model-int8.onnx --device pi5 --data test.npz',
    'parity model.onnx --device orin --min-sqnr-db 60 --min-agreement 0.99 --json',
  ],
  run: async (context, options, { model: modelText }) => {
    const preprocessing = await readPreprocessing(context, options.preprocess)
    const device = await findDevice(context, options.device)
    const model = await findModel(context, modelText)
    const dataset = options.data === undefined ? undefined : await findDataset(context, options.data, preprocessing)
    const analysis = await runJob(context, 'parity.start', {
      modelId: model.id,
      deviceId: device.id,
      datasetId: dataset?.id,
      samples: options.samples,
      threads: options.threads,
    })
    if (analysis.kind !== 'parity') throw new Error(`a parity was asked for, found ${analysis.kind}`)
    const gates = parityGates(options, analysis.result)
    return {
      document: { id: analysis.id, model: model.name, device: device.name, ...analysis.result, ...(gates.length > 0 && { gates }) },
      text: [
        parityText(model.name, device.name, analysis.result),
        ...(gates.length > 0 ? ['', ...gates.map((gate) => `${gate.passed ? 'ok    ' : 'MISSED'}  ${gateText(gate)}`)] : []),
      ].join('\n'),
      failure: gatesFailure(gates),
    }
  },
})

interface ParityGate {
  readonly gate: 'min-sqnr-db' | 'min-agreement'
  readonly limit: number
  /** Null when it was not measured, or nothing differs. */
  readonly found: number | null
  readonly passed: boolean
}

/** A limit on something that cannot be told is missed, never passed over. Identical outputs have no noise and pass any limit. */
function parityGates(
  limits: { readonly 'min-sqnr-db': number | undefined; readonly 'min-agreement': number | undefined },
  { outputs, top1Agreement }: ParityResult,
): ParityGate[] {
  const { 'min-sqnr-db': leastDb, 'min-agreement': leastShare } = limits
  const gates: ParityGate[] = []
  if (leastDb !== undefined) {
    const apart = outputs.filter(({ maxAbsDiff }) => maxAbsDiff !== 0)
    const known = apart.flatMap(({ sqnrDb }) => sqnrDb ?? [])
    const found = known.length > 0 ? Math.min(...known) : null
    gates.push({ gate: 'min-sqnr-db', limit: leastDb, found, passed: known.length === apart.length && known.every((db) => db >= leastDb) })
  }
  if (leastShare !== undefined) {
    const passed = top1Agreement !== null && top1Agreement >= leastShare
    gates.push({ gate: 'min-agreement', limit: leastShare, found: top1Agreement, passed })
  }
  return gates
}

function gateText({ gate, limit, found, passed }: ParityGate): string {
  if (gate === 'min-agreement')
    return `same class ${found === null ? 'not measured' : formatPercent(found)}, at least ${formatPercent(limit)}`
  const shown = found === null ? (passed ? 'identical' : 'not comparable') : formatDecibels(found)
  return `signal to noise ${shown}, at least ${formatDecibels(limit)}`
}

function gatesFailure(gates: readonly ParityGate[]): EdgesmithError | undefined {
  const missed = gates.filter(({ passed }) => !passed)
  if (missed.length === 0) return undefined
  return new EdgesmithError('GATE_FAILED', `${missed.length} of ${gates.length} limits missed: ${missed.map(gateText).join('; ')}`, {
    hint: 'The result above is complete and kept. The layers it names are the place to begin.',
    details: { missed },
  })
}
