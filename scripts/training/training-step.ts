import type { ModelProto } from 'onnx-buf'
import { adamUpdate } from './adam.ts'
import { softmaxCrossEntropy } from './layers.ts'
import type { Network, Parameter } from './network-builder.ts'
import { Tape, type Value } from './tape.ts'
import { TrainingGraph } from './training-graph.ts'

/** A tensor that a step reads under `name` and writes under `next:name`. */
export interface StateTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** How it starts: like its parameter, or filled with one number. */
  readonly start: Parameter | number
}

/** One training step as an ONNX model. */
export interface TrainingStep {
  /**
   * Inputs: `images` [N,C,H,W], `targets` [N,K] (one-hot), the scalars `stepSize` and `shrinkage` (see `adam.ts`) and every
   * state tensor. Outputs: `loss` (scalar, mean over the batch) and every state tensor with the prefix `next:`.
   */
  readonly model: ModelProto
  /** Parameters with their two moments, and running averages. */
  readonly state: readonly StateTensor[]
}

/** Name of the output that holds a state tensor after the step. */
export function nextName(name: string): string {
  return `next:${name}`
}

/** Writes forward pass, backward pass and optimizer of a network as one graph for batches of exactly `batchSize` images. */
export function buildTrainingStep(
  network: Network,
  sizes: { readonly batchSize: number; readonly imageShape: readonly number[]; readonly classes: number },
): TrainingStep {
  const tape = new Tape()
  const images = tape.input('images', [sizes.batchSize, ...sizes.imageShape])
  const targets = tape.input('targets', [sizes.batchSize, sizes.classes])
  const step = { stepSize: tape.input('stepSize', []), shrinkage: tape.input('shrinkage', []) }

  const graph = new TrainingGraph(tape)
  const loss = softmaxCrossEntropy(tape, network(graph, images), targets)
  const parameters = graph.parameters.map(({ value }) => value)
  const gradients = tape.gradients(loss, parameters)

  const state: StateTensor[] = []
  const outputs: Record<string, Value> = { loss }
  const keep = (before: Value, after: Value, start: Parameter | number) => {
    state.push({ name: before.name, shape: before.shape, start })
    outputs[nextName(before.name)] = after
  }
  for (const [index, { parameter, value }] of graph.parameters.entries()) {
    const moment = tape.input(`${parameter.name}:moment`, parameter.shape)
    const square = tape.input(`${parameter.name}:square`, parameter.shape)
    const next = adamUpdate(tape, { parameter: value, moment, square }, gradients[index] as Value, step, parameter.decays)
    keep(value, next.parameter, parameter)
    keep(moment, next.moment, 0)
    keep(square, next.square, 0)
  }
  for (const { value, next, start } of graph.runningAverages) keep(value, next, start)
  return { model: tape.model(outputs), state }
}
