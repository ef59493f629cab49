import type { OpCall, OutputFacts, ShapeRule } from '../op-call.ts'
import { type Dim, normalizeAxes, type Shape, unknownDims } from '../shapes.ts'

function scaled(dim: Dim, scale: Dim): Dim {
  if (scale === 1) return dim
  // ONNX Runtime multiplies in float32.
  return typeof dim === 'number' && typeof scale === 'number' ? Math.floor(Math.fround(Math.fround(scale) * dim)) : undefined
}

function resize(call: OpCall): OutputFacts {
  const type = call.type(0)
  const shape = call.shape(0)
  if (!shape) return [{ type }]
  const unknown = [{ type, shape: unknownDims(shape.length) }]
  const axes = normalizeAxes(call.ints('axes') ?? shape.map((_, axis) => axis), shape.length)
  if (!axes) return unknown
  const [scalesInput, sizesInput] = call.opset < 11 ? [1, -1] : [2, 3]
  const out = [...shape]
  if (call.has(sizesInput)) {
    const sizes = call.values(sizesInput)
    if (sizes?.length !== axes.length || call.text('keep_aspect_ratio_policy', 'stretch') !== 'stretch') return unknown
    for (const [index, axis] of axes.entries()) out[axis] = sizes[index]
    return [{ type, shape: out }]
  }
  const scales = call.values(scalesInput)
  const cropped = call.text('coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize'
  if (scales?.length !== axes.length || cropped) return unknown
  for (const [index, axis] of axes.entries()) out[axis] = scaled(shape[axis], scales[index])
  return [{ type, shape: out }]
}

/** Upsample: scales are an attribute in opset 7, an input in 9. */
function upsample(call: OpCall): OutputFacts {
  const shape = call.shape(0)
  const scales = call.attribute('scales')?.floats ?? call.values(1)
  if (!shape || scales?.length !== shape.length) return [{ type: call.type(0), shape: shape && unknownDims(shape.length) }]
  return [{ type: call.type(0), shape: shape.map((dim, axis) => scaled(dim, scales[axis])) }]
}

function gridSample(call: OpCall): OutputFacts {
  const [x, grid] = [call.shape(0), call.shape(1)]
  const shape: Shape | undefined = x && grid && x.length === grid.length && x.length > 2 ? [x[0], x[1], ...grid.slice(1, -1)] : undefined
  return [{ type: call.type(0), shape }]
}

/** X [N, C, H, W], rois [R, 4] → [R, C, height, width] */
function roiAlign(call: OpCall): OutputFacts {
  const [x, rois] = [call.shape(0), call.shape(1)]
  const known = x?.length === 4 && rois?.length === 2
  return [{ type: call.type(0), shape: known ? [rois[0], x[1], call.int('output_height', 1), call.int('output_width', 1)] : undefined }]
}

/** Operators that resample. */
export const resizingRules: Readonly<Record<string, ShapeRule>> = {
  Resize: resize,
  Upsample: upsample,
  GridSample: gridSample,
  RoiAlign: roiAlign,
}
