import type { NodeProto } from 'onnx-buf'
import type { Graph } from '../onnx/graph.ts'
import type { ValueRange } from './affine-parameters.ts'
import { activationTensors, type FusableUnit, findFusableUnits, type MatchContext, type SkippedNode, unitOutputs } from './fusable-units.ts'

/** A unit that will be quantized. */
export interface PlannedUnit extends FusableUnit {
  /** Whether its output is quantized too; a kernel with float output is left alone where nobody reads 8 bits. */
  readonly quantizedOutput: boolean
  /** The tensors it gives out, see {@link unitOutputs}. */
  readonly outputs: readonly string[]
}

/** What {@link planQuantization} decides. */
export interface QuantizationPlan {
  readonly units: readonly PlannedUnit[]
  /** Tensors that get a Q/DQ pair → the tensor whose range decides their scale (themselves, or what they were moved from). */
  readonly tensors: ReadonlyMap<string, string>
  /** Ranges that are known without calibration. */
  readonly fixedRanges: ReadonlyMap<string, ValueRange>
  readonly skipped: readonly SkippedNode[]
  /** Nodes that must stay in float although the runtime could run them in 8 bits. */
  readonly excluded: ReadonlySet<NodeProto>
}

/**
 * Chooses what to quantize: every unit with weights, and those others that save conversions between float and 8 bits.
 * Changes nothing.
 */
export function planQuantization(context: MatchContext): QuantizationPlan {
  const found = findFusableUnits(context)
  const selection = context.rules.placement === 'around' ? worthwhileUnits(found.units, context.graph) : allUnits(found.units)
  const fixedRanges = new Map<string, ValueRange>()
  for (const { node } of selection.units) if (node.opType === 'Softmax') fixedRanges.set(node.output[0]!, { min: 0, max: 1 })
  return {
    units: selection.units,
    tensors: quantizedTensors(selection.units, context.graph),
    fixedRanges,
    skipped: [...found.skipped, ...selection.dropped],
    excluded: found.excluded,
  }
}

interface Selection {
  readonly units: readonly PlannedUnit[]
  readonly dropped: readonly SkippedNode[]
}

function allUnits(units: readonly FusableUnit[]): Selection {
  return { units: units.map((unit) => planned(unit, false)), dropped: [] }
}

function planned(unit: FusableUnit, quantizedOutput: boolean): PlannedUnit {
  return { ...unit, quantizedOutput, outputs: unitOutputs(unit, quantizedOutput) }
}

/**
 * Starts with all units and drops those without weights that would cost more conversions than they save, until none is left
 * to drop. Dropping only makes others less worthwhile, so the order does not matter.
 */
function worthwhileUnits(units: readonly FusableUnit[], graph: Graph): Selection {
  const kept = new Set(units)
  for (let changed = true; changed; ) {
    const neighbours = neighboursOf(kept, graph)
    const losers = [...kept].filter((unit) => unit.kind !== 'weighted' && !saves(unit, neighbours, graph))
    for (const unit of losers) kept.delete(unit)
    changed = losers.length > 0
  }
  const { eightBitReaders } = neighboursOf(kept, graph)
  const chosen = [...kept].map((unit) =>
    planned(unit, !unit.floatOutput || unitOutputs(unit, true).some((tensor) => eightBitReaders.has(tensor))),
  )
  const dropped = units
    .filter((unit) => !kept.has(unit) && unit.kind === 'combining')
    .map(({ node }) => ({
      node: node.name,
      op: node.opType,
      reason: 'its neighbours stay in float32: converting to 8 bits and back would cost more than it saves',
    }))
  return { units: chosen, dropped }
}

/** Who reads and who writes 8-bit values when the given units are quantized. */
interface Neighbours {
  readonly writers: ReadonlyMap<string, FusableUnit>
  /** Tensors that some unit reads as 8-bit values. */
  readonly eightBitReaders: ReadonlySet<string>
  /** Nodes whose reading of a tensor is quantized, by tensor. */
  readonly readers: ReadonlyMap<string, ReadonlySet<NodeProto>>
}

function neighboursOf(units: Iterable<FusableUnit>, graph: Graph): Neighbours {
  const writers = new Map<string, FusableUnit>()
  const readers = new Map<string, Set<NodeProto>>()
  for (const unit of units) {
    for (const tensor of unitOutputs(unit, true)) writers.set(tensor, unit)
    for (const tensor of activationTensors(unit, graph)) readers.set(tensor, (readers.get(tensor) ?? new Set()).add(unit.node))
  }
  return { writers, readers, eightBitReaders: new Set(readers.keys()) }
}

/**
 * Whether running a unit in 8 bits needs no more conversions than running it in float, given its neighbours. With as many,
 * it is worth it when all its inputs are there in 8 bits already: they are a quarter of the memory to read.
 */
function saves(unit: FusableUnit, neighbours: Neighbours, graph: Graph): boolean {
  const { writers, readers, eightBitReaders } = neighbours
  const inputs = activationTensors(unit, graph)
  const eightBit = inputs.filter((tensor) => writers.has(tensor) || (readers.get(tensor)?.size ?? 0) > 1)
  if (eightBit.length === 0 || (unit.kind === 'moving' && !inputs.every((tensor) => writers.has(tensor)))) return false
  const readInFloat = (tensor: string): boolean =>
    graph.isGraphOutput(tensor) || graph.consumers(tensor).some((node) => !readers.get(tensor)?.has(node))
  // A tensor that kernels give in 8 bits only, and that no other node has made float already.
  const toDequantize = inputs.filter((tensor) => writers.get(tensor)?.floatOutput === false && !readInFloat(tensor))
  const outputs = unitOutputs(unit, true)
  const whenQuantized = inputs.length - eightBit.length + (outputs.some(readInFloat) && !unit.floatOutput ? 1 : 0)
  const whenFloat = toDequantize.length + (outputs.some((tensor) => eightBitReaders.has(tensor)) ? 1 : 0)
  return whenQuantized < whenFloat || (whenQuantized === whenFloat && eightBit.length === inputs.length)
}

/** Every tensor that gets a Q/DQ pair, in graph order, with the tensor whose scale it has. */
function quantizedTensors(units: readonly PlannedUnit[], graph: Graph): Map<string, string> {
  const owners = new Map<string, string>()
  for (const unit of units) {
    const inputs = activationTensors(unit, graph)
    for (const tensor of inputs) if (!owners.has(tensor)) owners.set(tensor, tensor)
    if (!unit.quantizedOutput) continue
    for (const tensor of unit.outputs) owners.set(tensor, unit.kind === 'moving' ? owners.get(inputs[0]!)! : tensor)
  }
  return owners
}
