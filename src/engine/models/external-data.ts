import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ModelProto, TensorProto } from 'onnx-buf'
import { EdgesmithError } from '../../contract/errors.ts'
import { allTensors } from '../../core/onnx/all-tensors.ts'
import { MODEL_LIMITS } from '../../core/onnx/limits.ts'
import { embedValues, expectedBytes, isExternal } from '../../core/onnx/payload.ts'
import { quoteName } from '../../core/onnx/quote-name.ts'
import { readError, readRange } from '../../platform/read-file.ts'
import { systemCode } from '../../platform/system-code.ts'

/** Longest location a model may name; the usual limit of a path. */
const LOCATION_LENGTH = 4096

/**
 * Reads the values that a model keeps in other files into the model, so that it stands for itself. Only plain files below the folder of the model
 * are read: no absolute path, no `..`, no symbolic link anywhere on the way, nothing but regular files.
 *
 * @param modelPath file the model was read from
 * @param modelBytes its size
 * @returns true when anything was embedded (the model was changed)
 * @throws EdgesmithError `MODEL_EXTERNAL_DATA` naming tensor and file, expected and found bytes; `TOO_LARGE` when the result would not
 *   fit into one file
 */
export async function embedExternalData(model: ModelProto, modelPath: string, modelBytes: number): Promise<boolean> {
  const tensors = [...allTensors(model)].filter(isExternal)
  const places = tensors.map((tensor) => ({ tensor, place: placeOf(tensor) }))
  const total = places.reduce((sum, { place }) => sum + place.length, modelBytes)
  if (total > MODEL_LIMITS.fileBytes) {
    throw new EdgesmithError(
      'TOO_LARGE',
      `The model has ${gigabytes(total)} GB with its external data, at most ${gigabytes(MODEL_LIMITS.fileBytes)} GB fit into one ONNX file.`,
      {
        hint: 'Export it in float16 or 8 bits, which takes half or a quarter, or export its parts (encoder, decoder) as models of their own.',
        details: { foundBytes: total, limitBytes: MODEL_LIMITS.fileBytes },
      },
    )
  }
  const files = new Map<string, FileHandle>()
  try {
    for (const { tensor, place } of places) {
      const file = files.get(place.location) ?? (await openBeside(modelPath, tensor, place.location))
      files.set(place.location, file)
      embedValues(tensor, await readPlace(file, tensor, place))
    }
  } finally {
    for (const file of files.values()) await file.close()
  }
  return tensors.length > 0
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(2)
}

/** Where a tensor's values are, as its `external_data` entries say. */
interface Place {
  readonly location: string
  readonly offset: number
  readonly length: number
}

function placeOf(tensor: TensorProto): Place {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]))
  const location = checkedLocation(tensor, entries.get('location') ?? '')
  const offset = wholeNumber(tensor, 'offset', entries.get('offset') ?? '0')
  const needed = expectedBytes(tensor, 'Tensor') ?? 0
  const length = wholeNumber(tensor, 'length', entries.get('length') ?? String(needed))
  if (length !== needed) {
    throw problem(tensor, location, `its shape needs ${needed} bytes, the model says ${length}`, { expected: needed, found: length })
  }
  return { location, offset, length }
}

function wholeNumber(tensor: TensorProto, what: string, text: string): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value)) return value
  throw problem(tensor, '', `its ${what} ${quoteName(text)} is not a whole number`)
}

/** Refuses every location that could lead out of the model's folder, on any operating system. */
function checkedLocation(tensor: TensorProto, location: string): string {
  const reason = unsafeReason(location)
  if (reason === undefined) return location
  throw new EdgesmithError(
    'MODEL_EXTERNAL_DATA',
    `Tensor ${quoteName(tensor.name)} keeps its values in ${quoteName(location)}, which is refused: ${reason}.`,
    {
      hint: 'External data must lie in the folder of the model or below it, and be named by a plain relative path.',
      details: { tensor: tensor.name.slice(0, 1000), location: location.slice(0, 1000) },
    },
  )
}

function unsafeReason(location: string): string | undefined {
  if (location === '') return 'it names no file'
  if (location.length > LOCATION_LENGTH) return 'the path is too long'
  if (location.includes('\0')) return 'the path contains a zero byte'
  if (/^[/\\]|^[A-Za-z]:/.test(location)) return 'the path is absolute'
  const parts = location.split(/[/\\]/)
  return parts.includes('..') ? 'the path leads out of the folder of the model' : undefined
}

async function openBeside(modelPath: string, tensor: TensorProto, location: string): Promise<FileHandle> {
  let path = dirname(modelPath)
  try {
    for (const part of location.split('/')) {
      path = join(path, part)
      if ((await lstat(path)).isSymbolicLink()) throw problem(tensor, location, `${quoteName(part)} is a symbolic link, which is refused`)
    }
    // O_NOFOLLOW closes the gap between looking and opening; O_NONBLOCK keeps a pipe from blocking. Windows has neither.
    const file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    if ((await file.stat()).isFile()) return file
    await file.close()
    throw problem(tensor, location, 'it is not a regular file')
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') {
      throw problem(tensor, location, 'the file does not exist', { expected: expectedBytes(tensor), found: 0 })
    }
    throw readError(error, location)
  }
}

async function readPlace(file: FileHandle, tensor: TensorProto, { location, offset, length }: Place): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await file.stat()
  const found = Math.max(0, Math.min(length, size - offset))
  const short = () =>
    problem(tensor, location, `expected ${length} bytes from byte ${offset} on, found ${found} (the file has ${size} bytes)`, {
      expected: length,
      found,
      offset,
    })
  // Before anything is allocated.
  if (found < length) throw short()
  const bytes = new Uint8Array(length)
  if ((await readRange(file, offset, bytes)) < length) throw short()
  return bytes
}

function problem(tensor: TensorProto, location: string, reason: string, details: Readonly<Record<string, unknown>> = {}): EdgesmithError {
  const where = location === '' ? 'in an external file' : `in the external file ${quoteName(location)}`
  return new EdgesmithError('MODEL_EXTERNAL_DATA', `Tensor ${quoteName(tensor.name)} has its values ${where}: ${reason}.`, {
    hint: 'Keep the model and all its data files together, and copy them again if one is incomplete.',
    details: { tensor: tensor.name.slice(0, 1000), location: location.slice(0, 1000), ...details },
  })
}
