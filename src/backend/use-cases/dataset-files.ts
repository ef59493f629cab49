import { mkdir, rm } from 'node:fs/promises'
import type { Dataset } from '../../contract/dataset.ts'
import { throwIfCancelled } from '../../platform/cancellation.ts'
import type { Services } from '../services.ts'

/** Files that an engine made in a folder of ours and that become files of datasets. */
export interface MadeFiles {
  /** Empty, for the engine to write to. */
  readonly folder: string
  /** Takes a file into the store. @throws EdgesmithError `JOB_CANCELLED`, `NO_SPACE` */
  keep(file: {
    readonly role: Dataset['files'][number]['role']
    readonly name: string
    readonly path: string
  }): Promise<Dataset['files'][number]>
}

/**
 * Work that makes files of datasets. Whatever is not part of a dataset when it is over is removed: all of it after an error or a cancel.
 * @param signal cancels the taking in of large files
 */
export async function withMadeFiles<T>(
  services: Services,
  signal: AbortSignal | undefined,
  work: (made: MadeFiles) => Promise<T>,
): Promise<T> {
  const { blobs, datasets } = services
  const folder = await blobs.temporaryPath()
  await mkdir(folder, { mode: 0o700 })
  const kept: string[] = []
  try {
    return await work({
      folder,
      keep: async ({ role, name, path }) => {
        if (signal) throwIfCancelled(signal)
        const { sha256 } = await blobs.adopt(path, signal)
        kept.push(sha256)
        return { role, sha256, name }
      },
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
    for (const sha256 of datasets.unused(kept)) await blobs.remove(sha256)
  }
}
