/** Another file format that people take for ONNX. */
export interface FileFormat {
  /** "a PyTorch checkpoint": fits after "it looks like". */
  readonly what: string
  /** How to get an ONNX model from it. */
  readonly hint: string
}

const TORCH_HINT = 'Load it in Python and export it: torch.onnx.export(model, example_input, "model.onnx").'
const TENSORFLOW_HINT = 'Convert it in Python: python -m tf2onnx.convert with --saved-model, --keras or --tflite, and --output model.onnx.'
const DOWNLOAD_HINT = 'The download went wrong: open the link in a browser and save the model file itself.'

/** Bytes looked at for text. */
const HEAD = 512

/** Names a format by its first bytes, `undefined` for one this project does not know. */
export function recognizeFormat(bytes: Uint8Array): FileFormat | undefined {
  const head = bytes.subarray(0, HEAD)
  const latin = String.fromCharCode(...head)
  const has = (text: string, at = 0) => latin.startsWith(text, at)
  if (has('PK\x03\x04') || has('PK\x05\x06')) return zipFormat(bytes)
  if (has('\x89HDF\r\n\x1a\n')) return { what: 'an HDF5 file, probably a Keras .h5 model', hint: TENSORFLOW_HINT }
  if (has('TFL3', 4)) return { what: 'a TensorFlow Lite model', hint: TENSORFLOW_HINT }
  if (has('ORTM', 4)) return { what: 'an ONNX Runtime .ort model', hint: 'Import the .onnx file it was made from.' }
  if (has('GGUF'))
    return { what: 'a GGUF language model', hint: 'Get the model as ONNX from its publisher, or export it with optimum-cli.' }
  if (/^.{8}\{"/s.test(latin) && bytes[6] === 0 && bytes[7] === 0)
    return { what: 'a safetensors file (weights without a graph)', hint: TORCH_HINT }
  if (bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5)
    return { what: 'a Python pickle, probably a PyTorch or scikit-learn model', hint: `${TORCH_HINT} For scikit-learn use skl2onnx.` }
  if (has('\x93NUMPY')) return { what: 'a NumPy array', hint: 'Import it as a dataset, not as a model.' }
  if (has('\x1f\x8b')) return { what: 'a gzip archive', hint: 'Unpack it first (gunzip, or tar -xzf).' }
  if (has('ustar', 257)) return { what: 'a tar archive', hint: 'Unpack it first (tar -xf).' }
  if (has('7z\xbc\xaf\x27\x1c') || has('Rar!')) return { what: 'an archive', hint: 'Unpack it first.' }
  if (has('\x7fELF') || has('MZ')) return { what: 'a program or library', hint: 'Choose the .onnx file.' }
  if (has('\x89PNG') || has('\xff\xd8\xff') || has('GIF8')) return { what: 'an image', hint: 'Choose the .onnx file.' }
  if (has('%PDF')) return { what: 'a PDF document', hint: 'Choose the .onnx file.' }
  if (has('version https://git-lfs'))
    return { what: 'a Git LFS pointer, not the model itself', hint: 'Run git lfs pull in the repository.' }
  return textFormat(latin) ?? tensorFlowFormat(bytes)
}

function zipFormat(bytes: Uint8Array): FileFormat {
  // Names in the first local headers and in the directory at the end tell the writers of zip files apart.
  const ends = [bytes.subarray(0, 4096), bytes.subarray(-4096)].map((part) => String.fromCharCode(...part)).join('\n')
  if (/data\.pkl|\/data\/\d|constants\.pkl/.test(ends)) return { what: 'a PyTorch checkpoint (.pt, .pth)', hint: TORCH_HINT }
  if (/model\.weights\.h5|config\.json/.test(ends)) return { what: 'a Keras model (.keras)', hint: TENSORFLOW_HINT }
  if (/\.npy/.test(ends)) return { what: 'a NumPy .npz archive', hint: 'Import it as a dataset, not as a model.' }
  return { what: 'a zip archive, such as a PyTorch checkpoint', hint: `Unpack it; if it is a checkpoint: ${TORCH_HINT}` }
}

function textFormat(latin: string): FileFormat | undefined {
  if (/^(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head)/i.test(latin)) return { what: 'a web page (HTML)', hint: DOWNLOAD_HINT }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells text from binary
  if (latin === '' || /[\x00-\x08\x0b\x0e-\x1f]/.test(latin)) return undefined
  if (/^\s*<\?xml|^\s*<net /.test(latin))
    return { what: 'an XML file (OpenVINO keeps its graphs so)', hint: 'Export the original model to ONNX.' }
  if (/^\s*[{[]/.test(latin)) return { what: 'a JSON file', hint: 'Choose the .onnx file; TensorFlow.js models cannot be imported yet.' }
  return { what: 'a text file', hint: DOWNLOAD_HINT }
}

function tensorFlowFormat(bytes: Uint8Array): FileFormat | undefined {
  // SavedModel: field 1 (schema version) = 1, then field 2 (meta graph), which itself begins with field 1. No ONNX model has IR version 1 today.
  if (bytes[0] === 0x08 && bytes[1] === 1 && bytes[2] === 0x12) return { what: 'a TensorFlow SavedModel', hint: TENSORFLOW_HINT }
  // GraphDef: field 1 (node), which begins with field 1 (name), a printable string.
  if (bytes[0] === 0x0a && bytes.subarray(2, 4).includes(0x0a)) return { what: 'a TensorFlow graph (.pb)', hint: TENSORFLOW_HINT }
  return undefined
}
