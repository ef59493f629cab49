import type { ModelProto } from 'onnx-buf'
import type { ModelReport } from '../../contract/model.ts'
import { inspectModel } from '../../core/onnx/inspect.ts'
import { MODEL_LIMITS } from '../../core/onnx/limits.ts'
import { decodeModel } from '../../core/onnx/model-file.ts'
import { validateModel } from '../../core/onnx/validate.ts'
import { sha256Of } from '../../platform/file-hash.ts'
import { readWholeFile } from '../../platform/read-file.ts'

/** No program can read a protobuf file of 2 GiB, so such a file is damaged or something else. */
const TOO_LARGE_HINT =
  'No ONNX file can be larger: models over 2 GB keep their weights in files beside it. Check that this is the .onnx file.'

/**
 * Reads an .onnx file whole and checks its structure.
 * @param name how messages call it
 * @throws EdgesmithError or CoreError: `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `TOO_LARGE`, `MODEL_NOT_ONNX`, `MODEL_TRUNCATED`,
 *   `MODEL_INVALID`, `TENSOR_INVALID`, `MODEL_UNSUPPORTED_OPSET`
 */
export async function readModelFile(path: string, name: string): Promise<{ bytes: Uint8Array; model: ModelProto }> {
  const bytes = await readWholeFile(path, name, MODEL_LIMITS.fileBytes, TOO_LARGE_HINT)
  const model = decodeModel(bytes, name)
  validateModel(model)
  return { bytes, model }
}

/**
 * Everything about a model in a file, without loading it in the runtime. External data is not read.
 * @param name how messages call it
 * @throws as {@link readModelFile}
 */
export async function inspectFile(path: string, name: string): Promise<ModelReport> {
  const { bytes, model } = await readModelFile(path, name)
  return inspectModel(model, bytes.length, sha256Of(bytes))
}
