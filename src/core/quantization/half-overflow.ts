import { type ModelProto, type NodeProto, type TensorProto, TensorProto_DataType } from 'onnx-buf'
import { HALF_MAX } from '../float16.ts'
import type { InferenceRuntime } from '../inference-runtime.ts'
import { Graph } from '../onnx/graph.ts'
import { floatValues } from '../onnx/tensor-values.ts'
import type { CalibrationSamples } from './calibration-samples.ts'
import { collectRanges } from './range-collection.ts'
import type { ScopeFacts } from './scope-facts.ts'

/** Operators for which the largest float16 does as well as any larger constant: masks and limits. */
const LIMITS: ReadonlySet<string> = new Set(['Add', 'Clip', 'ConstantOfShape', 'Greater', 'Less', 'Max', 'Min', 'Pad', 'Sub', 'Where'])

/** Nodes that compute with constants beyond ±65504, with the reason: clamped, their results would be others. */
export function findConstantOverflow(graph: Graph): Map<string, string> {
  const found = new Map<string, string>()
  for (const node of graph.nodes) {
    for (const name of node.input) {
      const constant = graph.constant(name)
      const reason = constant && constantOverflow(node, constant)
      if (reason !== undefined) found.set(node.name, reason)
    }
  }
  return found
}

/** Why a node needs a constant in float32; `undefined` when it does not. */
export function constantOverflow(node: NodeProto, constant: TensorProto): string | undefined {
  if (LIMITS.has(node.opType) || constant.dataType !== TensorProto_DataType.FLOAT) return undefined
  const largest = floatValues(constant).reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0)
  return largest > HALF_MAX ? `its constant "${constant.name}" reaches ${largest.toPrecision(3)}, beyond float16` : undefined
}

/**
 * Nodes that would write or read infinity in float16, because values beyond ±65504 occur on the samples, with the reason.
 * Running the float16 model would not show it: ONNX Runtime computes float16 in float32 on most processors.
 *
 * @param facts types of the main graph's tensors; what sub-graphs make cannot be looked at from outside
 * @throws the runtime's errors
 */
export async function findHalfOverflow(
  model: ModelProto,
  facts: ScopeFacts,
  samples: CalibrationSamples,
  runtime: InferenceRuntime,
): Promise<Map<string, string>> {
  const graph = new Graph(model)
  const made = [...model.graph!.input.map(({ name }) => name), ...graph.nodes.flatMap(({ output }) => output)]
  const floats = made.filter((name) => facts.get(name)?.type === 'float32' && !graph.constant(name))
  const found = new Map<string, string>()
  for (const [tensor, { min, max }] of await collectRanges(model, floats, samples, runtime)) {
    const largest = Math.max(-min, max)
    if (largest <= HALF_MAX) continue
    const producer = graph.producer(tensor)
    for (const node of [...(producer ? [producer] : []), ...graph.consumers(tensor)])
      found.set(node.name, `"${tensor}" reaches ${largest.toPrecision(3)} on the samples, beyond float16`)
  }
  return found
}
