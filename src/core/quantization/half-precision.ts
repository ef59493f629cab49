import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'
import { cloneModel } from '../onnx/clone-model.ts'
import { Graph } from '../onnx/graph.ts'
import { requireFloatModel } from './already-quantized.ts'
import { constantsToInitializers } from './constants-to-initializers.ts'
import type { SkippedNode } from './fusable-units.ts'
import { HalfConversion } from './half-conversion.ts'
import { floatFlow } from './half-flow.ts'
import { findConstantOverflow } from './half-overflow.ts'
import { type HalfChoice, planHalf } from './half-plan.ts'
import type { ClampCounts } from './half-tensors.ts'
import { nameNodes } from './prepare-model.ts'
import type { ScopeFacts } from './scope-facts.ts'

/** A model in float16 and what was done to it. */
export interface HalfModel {
  readonly model: ModelProto
  /** Nodes that work in float16, by name, outer graphs first. */
  readonly converted: readonly string[]
  readonly skipped: readonly SkippedNode[]
  readonly clamped: Readonly<ClampCounts>
}

/**
 * A copy of a model in which every node of every graph has a name and float constants are initializers: what
 * {@link convertToHalf} takes and the facts given to it are about.
 */
export function prepareForHalf(source: ModelProto): ModelProto {
  const graph = new Graph(cloneModel(source))
  for (const scope of graph.scopes()) {
    nameNodes(scope)
    constantsToInitializers(scope)
  }
  unlistConstants(graph.model)
  return graph.model
}

/** Until IR version 3 every initializer was listed among the inputs; it was constant all the same. */
function unlistConstants(model: ModelProto): void {
  if (model.irVersion >= 4n || !model.graph) return
  const stored = new Set(model.graph.initializer.map(({ name }) => name))
  model.graph.input = model.graph.input.filter(({ name }) => !stored.has(name))
  model.irVersion = 4n
}

/**
 * Converts weights and activations to float16, in sub-graphs too. A tensor that is needed in both types is cast once, where it is
 * made; nodes without a float16 form and operators of other domains stay in float32, and with them light nodes between them where
 * that takes fewer casts. What a node with sub-graphs passes to them and gets from them has one type. Values beyond float16 are
 * clamped and counted.
 *
 * @param prepared see {@link prepareForHalf}; is not changed
 * @param facts of its graphs, see `inferScopeFacts`
 * @throws CoreError `RECIPE_NOT_APPLICABLE` when nothing is float32, or the model is quantized
 */
export function convertToHalf(prepared: ModelProto, facts: readonly ScopeFacts[], options: HalfChoice): HalfModel {
  const graph = new Graph(cloneModel(prepared))
  for (const scope of graph.scopes()) requireFloatModel(scope)
  const overflowing = graph.scopes().flatMap((scope) => [...findConstantOverflow(scope)])
  const flow = floatFlow(graph, facts)
  const plan = planHalf(flow, { ...options, blocked: new Map([...overflowing, ...(options.blocked ?? [])]) })
  if (plan.converted.length === 0) {
    throw new CoreError(
      'RECIPE_NOT_APPLICABLE',
      'No node of the model can work in float16: it computes on other types, or everything is excluded.',
      {
        hint: 'Inspect the model: fp16 converts float32 weights and activations.',
        details: { skipped: plan.skipped.length },
      },
    )
  }
  const conversion = new HalfConversion(flow, plan, options.keepIoTypes)
  conversion.write()
  return { model: graph.model, converted: plan.converted, skipped: plan.skipped, clamped: conversion.clamped }
}
