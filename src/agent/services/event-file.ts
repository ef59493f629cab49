import { open } from 'node:fs/promises'
import type { ServiceEvent } from '../../contract/routing.ts'
import { type DurableFiles, replaceFile } from '../../platform/durable-files.ts'
import { readIfThere } from '../../platform/read-file.ts'

/** Beyond this the file is cut to its newest events. */
const longestBytes = 512_000
const keptEvents = 500
/** No file that is kept short gets anywhere near this. */
export const eventFileLimit = 4_000_000

/** Adds a line. The file stays small: the oldest events go. */
export async function appendEvent(files: DurableFiles, path: string, event: ServiceEvent): Promise<void> {
  const { bytes, ended } = await endOf(path)
  if (bytes > longestBytes) {
    const lines = ((await readIfThere(path, eventFileLimit)) ?? '').split('\n').filter((line) => line !== '')
    await replaceFile(files, path, `${lines.slice(-keptEvents).join('\n')}\n`)
  }
  const text = { ...event, text: event.text.slice(0, 2000) }
  // What a loss of power cut off must not take this line with it.
  await files.append(path, `${ended ? '' : '\n'}${JSON.stringify(text)}\n`, 0o600)
  await files.syncFile(path)
}

async function endOf(path: string): Promise<{ bytes: number; ended: boolean }> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { bytes: 0, ended: true }
    throw error
  }
  try {
    const { size } = await file.stat()
    if (size === 0) return { bytes: 0, ended: true }
    const last = Buffer.alloc(1)
    await file.read(last, 0, 1, size - 1)
    return { bytes: size, ended: last[0] === 10 }
  } finally {
    await file.close()
  }
}
