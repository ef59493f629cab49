import { type Zippable, zipSync } from 'fflate'

/** An array as NumPy stores it, row-major. */
export interface NpyArray {
  readonly shape: readonly number[]
  readonly values: Float32Array | BigInt64Array
}

/** One .npy file, format version 1.0 (numpy.lib.format), little-endian. */
function encodeNpy({ shape, values }: NpyArray): Uint8Array {
  const descr = values instanceof Float32Array ? '<f4' : '<i8'
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`
  // Magic, version and header length take 10 bytes; the header ends with a newline, and the values start at a multiple of 64.
  const start = Math.ceil((10 + text.length + 1) / 64) * 64
  const header = `${text.padEnd(start - 11)}\n`
  const file = new Uint8Array(start + values.byteLength)
  file.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 0xff, header.length >> 8])
  file.set(new TextEncoder().encode(header), 10)
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), start)
  return file
}

/** An .npz file that `numpy.load` reads: one deflated zip member per array. The same arrays always give the same bytes. */
export function encodeNpz(arrays: Readonly<Record<string, NpyArray>>): Uint8Array {
  // The first moment a zip file can name. fflate stores local time, so it is built from local parts.
  const mtime = new Date(1980, 0, 1)
  const members: Zippable = {}
  for (const [name, array] of Object.entries(arrays)) members[`${name}.npy`] = [encodeNpy(array), { level: 9, mtime }]
  return zipSync(members)
}
