import type { ModelProto } from 'onnx-buf'

/**
 * Makes weights constant that the file also lists as graph inputs. Since IR version 4 such an input is an optional one that a caller
 * may override, so nothing may be folded, fused or quantized behind it; exporters of older days (and PyTorch with
 * `keep_initializers_as_inputs`) list every weight that way without meaning it. Before IR version 4 the listing was a rule and the
 * weights are constant anyway.
 *
 * @param model is changed
 * @returns names of the inputs that were removed
 */
export function dropOverridableInputs(model: ModelProto): string[] {
  const { graph } = model
  if (!graph || model.irVersion < 4n) return []
  const weights = new Set(graph.initializer.map(({ name }) => name))
  const overridable = graph.input.filter(({ name }) => weights.has(name)).map(({ name }) => name)
  if (overridable.length > 0) graph.input = graph.input.filter(({ name }) => !weights.has(name))
  return overridable
}
