import { basename } from 'node:path'
import type { ModelProto } from 'onnx-buf'
import { EdgesmithError } from '../../contract/errors.ts'
import type { ModelReport } from '../../contract/model.ts'
import type { InferenceRuntime } from '../../core/inference-runtime.ts'
import { inspectModel } from '../../core/onnx/inspect.ts'
import { decodeModel, encodeModel } from '../../core/onnx/model-file.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { inferShapes } from '../../core/onnx/shape-inference.ts'
import { elementsOf } from '../../core/onnx/shapes.ts'
import { sha256Of } from '../../platform/file-hash.ts'
import { writeFileWhole } from '../../platform/write-file.ts'
import { embedExternalData } from './external-data.ts'
import { readModelFile } from './inspect-file.ts'

/**
 * Elements one tensor may have while the model runs on one sample. ONNX Runtime computes constant parts of a graph while it loads it: a
 * few bytes of a hostile file could make it ask for terabytes. 2^29 float32 values are 2 GB, as much as a whole model may have.
 */
const TENSOR_ELEMENTS = 2 ** 29

/**
 * Reads an .onnx file, checks it, loads it once in the runtime, and writes it to `outPath` as one self-contained file. Where nothing had to be
 * embedded the written bytes are the original ones.
 *
 * @throws EdgesmithError or CoreError: what `readModelFile` and `embedExternalData` throw; `MODEL_LOAD_FAILED`, `MODEL_UNSUPPORTED_OP`,
 *   `MODEL_UNSUPPORTED_OPSET` from the runtime; `NO_SPACE`, `FILE_NOT_WRITABLE`. Nothing is left at `outPath` then.
 */
export async function importModel(
  { path, outPath }: { readonly path: string; readonly outPath: string },
  runtime: InferenceRuntime,
): Promise<ModelReport> {
  const { bytes, model } = await selfContained(path)
  const loaded = await runtime.load(bytes)
  await loaded.close()
  await writeFileWhole(outPath, bytes)
  return inspectModel(model, bytes.length, sha256Of(bytes))
}

/** The model with its external data in it. Values are in memory once: those of the model are views into the bytes. */
async function selfContained(path: string): Promise<{ readonly bytes: Uint8Array; readonly model: ModelProto }> {
  const name = basename(path)
  const source = await readModelFile(path, name)
  checkTensorSizes(source.model)
  if (!(await embedExternalData(source.model, path, source.bytes.length))) return source
  const bytes = encodeModel(source.model)
  return { bytes, model: decodeModel(bytes, name) }
}

function checkTensorSizes(model: ModelProto): void {
  for (const [name, fact] of inferShapes(model, { singleSample: true }).facts) {
    const elements = fact.shape?.every((dim) => typeof dim === 'number') ? (elementsOf(fact.shape) ?? Number.POSITIVE_INFINITY) : 0
    if (elements > TENSOR_ELEMENTS) {
      throw new EdgesmithError(
        'TOO_LARGE',
        `Tensor ${quoteName(name)} would have ${elements} elements, at most ${TENSOR_ELEMENTS} are allowed.`,
        {
          details: { tensor: name.slice(0, 1000), shape: fact.shape },
        },
      )
    }
  }
}
