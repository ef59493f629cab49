import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Accuracy } from './accuracy.ts'

/** One file of `models/`, with all that is needed to trust it and to make it again. */
export interface ManifestFile {
  readonly path: string
  readonly kind: 'model' | 'dataset'
  readonly sha256: string
  readonly sizeBytes: number
  readonly description: string
  readonly origin: string
  readonly licence: { readonly spdx: string; readonly copyright: string; readonly notice: string }
  readonly made: {
    readonly command: string
    readonly tools: Readonly<Record<string, string>>
    /** Files it was made from, by name. */
    readonly sources: Readonly<Record<string, { readonly sha256: string }>>
    readonly [fact: string]: unknown
  }
  readonly inputs?: readonly ManifestTensor[]
  readonly outputs?: readonly ManifestTensor[]
  readonly arrays?: readonly ManifestTensor[]
  /** Right answers, exact, as counted when the model was made. */
  readonly accuracy?: { readonly test: Accuracy; readonly sample: Accuracy & { readonly file: string } }
  readonly parameters?: number
}

/** Name, element type and shape; "N" is a free dimension. */
export interface ManifestTensor {
  readonly name: string
  readonly type: string
  readonly shape: readonly (number | string)[]
}

/** `models/MANIFEST.json`. */
export interface Manifest {
  readonly schemaVersion: 1
  readonly files: readonly ManifestFile[]
}

const MANIFEST_NAME = 'MANIFEST.json'

/** Reads the manifest of a folder; one without files when there is none yet. */
export function readManifest(folder: string): Manifest {
  const path = join(folder, MANIFEST_NAME)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : { schemaVersion: 1, files: [] }
}

/** Writes a file and its entry in the manifest of the same folder; hash and size are taken from `bytes`. */
export function writeWithManifest(
  path: string,
  bytes: Uint8Array,
  entry: Omit<ManifestFile, 'path' | 'sha256' | 'sizeBytes'>,
): ManifestFile {
  const folder = join(path, '..')
  const { kind, description, ...rest } = entry
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const file: ManifestFile = { path: basename(path), kind, description, sha256, sizeBytes: bytes.length, ...rest }
  const others = readManifest(folder).files.filter((other) => other.path !== file.path)
  const files = [...others, file].sort((a, b) => (a.path < b.path ? -1 : 1))
  const manifest: Manifest = { schemaVersion: 1, files }
  writeWhole(path, bytes)
  writeWhole(join(folder, MANIFEST_NAME), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return file
}

/** Writes under another name first, so that an interrupted run leaves the old file whole. */
function writeWhole(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.partial`
  writeFileSync(temporary, content)
  renameSync(temporary, path)
}
