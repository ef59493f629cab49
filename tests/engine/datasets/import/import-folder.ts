import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type EngineResult, engineResultSchemas } from '../../../../src/contract/engine-protocol.ts'
import { type Elements, readElements } from '../../../../src/core/datasets/numeric-array.ts'
import { openArrayFile } from '../../../../src/engine/datasets/array-file.ts'
import { importDataset } from '../../../../src/engine/datasets/import/import-dataset.ts'
import type { ImportOrder } from '../../../../src/engine/datasets/import/unpacked.ts'

export const quiet = { progress: () => {}, log: () => {} }

/** A folder for one test file, with what is to be imported and what comes out. */
export class ImportFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'edgesmith-import-'))
  private runs = 0

  /** Writes a file below the folder and answers its path. */
  file(name: string, content: Uint8Array | string): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    return path
  }

  /** A fresh folder for output. */
  out(): string {
    const path = join(this.path, `out-${this.runs++}`)
    mkdirSync(path)
    return path
  }

  async import(path: string, order: Partial<ImportOrder> = {}): Promise<EngineResult<'import-dataset'>> {
    const result = await importDataset({ path, outFolder: this.out(), ...order }, quiet)
    return engineResultSchemas['import-dataset'].parse(result)
  }

  /** Files that are in the folder of the last import. */
  leftovers(): string[] {
    return readdirSync(join(this.path, `out-${this.runs - 1}`))
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** All values of an array that was imported. */
export function valuesOf(made: EngineResult<'import-dataset'>, name: string): Elements {
  const path = made.files.find((file) => file.role === 'array' && file.name === name)?.path
  if (path === undefined) throw new Error(`no array ${name} among ${made.files.map((file) => file.name).join(', ')}`)
  const file = openArrayFile(path, name)
  try {
    return readElements(
      file,
      0,
      file.shape.reduce((product, dim) => product * dim, 1),
    )
  } finally {
    file.close()
  }
}

/** Rows of a split that was made. */
export function rowsIn(path: string): number[] {
  const file = openArrayFile(path, 'rows')
  try {
    return Array.from(file.read(0, file.shape[0] as number) as Int32Array)
  } finally {
    file.close()
  }
}
