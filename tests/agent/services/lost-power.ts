import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { type DurableFiles, diskFiles } from '../../../src/platform/durable-files.ts'

type Operation =
  | { readonly kind: 'write' | 'append'; readonly path: string; readonly text: string }
  | { readonly kind: 'syncFile' | 'syncFolder' | 'remove' | 'makeFolder'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }

/** Content of a file: what is surely on the disk, and what was written since. */
interface Content {
  safe: string
  written: string
}

/** A change of names that the disk may or may not know. */
type NameChange =
  | { readonly folder: string; readonly kind: 'link'; readonly path: string; readonly content: Content }
  | { readonly folder: string; readonly kind: 'folder' | 'remove'; readonly path: string }
  | { readonly folder: string; readonly kind: 'rename'; readonly path: string; readonly to: string }

/** More changes than this are not combined in every way; all, none, and each alone or left out are. */
const mostCombined = 6

/** Does everything on the real disk, and remembers what was done, so that every disk a loss of power may leave can be made. */
export class RecordedFiles implements DurableFiles {
  readonly operations: Operation[] = []
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async write(path: string, text: string, mode: number): Promise<void> {
    this.operations.push({ kind: 'write', path, text })
    await diskFiles.write(path, text, mode)
  }
  async append(path: string, text: string, mode: number): Promise<void> {
    this.operations.push({ kind: 'append', path, text })
    await diskFiles.append(path, text, mode)
  }
  async syncFile(path: string): Promise<void> {
    this.operations.push({ kind: 'syncFile', path })
    await diskFiles.syncFile(path)
  }
  async syncFolder(path: string): Promise<void> {
    this.operations.push({ kind: 'syncFolder', path })
    await diskFiles.syncFolder(path)
  }
  async rename(path: string, to: string): Promise<void> {
    this.operations.push({ kind: 'rename', path, to })
    await diskFiles.rename(path, to)
  }
  async remove(path: string): Promise<void> {
    this.operations.push({ kind: 'remove', path })
    await diskFiles.remove(path)
  }
  async makeFolder(path: string): Promise<void> {
    this.operations.push({ kind: 'makeFolder', path })
    await diskFiles.makeFolder(path)
  }

  /** Every disk that may be found when power is lost after so many operations: files by path below the root, folders as null. */
  disksAfter(count: number): ReadonlyMap<string, string | null>[] {
    const { safe, pending } = this.#replay(count)
    const disks = new Map<string, ReadonlyMap<string, string | null>>()
    for (const chosen of choices(pending)) {
      const names = new Map(safe)
      for (const change of chosen) applyTo(names, change)
      for (const loss of ['nothing', 'half', 'all'] as const) {
        const disk = new Map<string, string | null>()
        for (const [path, content] of names) disk.set(relative(this.#root, path), content && afterLoss(content, loss))
        disks.set(JSON.stringify([...disk].sort()), disk)
      }
    }
    return [...disks.values()]
  }

  #replay(count: number) {
    const safe = new Map<string, Content | null>()
    const current = new Map<string, Content | null>()
    let pending: NameChange[] = []
    const change = (one: NameChange) => {
      pending.push(one)
      applyTo(current, one)
    }
    for (const operation of this.operations.slice(0, count)) {
      const { kind, path } = operation
      const folder = dirname(path)
      if (kind === 'write' || kind === 'append') {
        const known = current.get(path)
        if (known) known.written = kind === 'append' ? known.written + operation.text : operation.text
        else change({ folder, kind: 'link', path, content: { safe: '', written: operation.text } })
      } else if (kind === 'syncFile') {
        const known = current.get(path)
        if (known) known.safe = known.written
      } else if (kind === 'syncFolder') {
        for (const one of pending) if (one.folder === path) applyTo(safe, one)
        pending = pending.filter((one) => one.folder !== path)
      } else if (kind === 'makeFolder') {
        if (!current.has(path)) change({ folder, kind: 'folder', path })
      } else if (kind === 'remove') {
        if (current.has(path)) change({ folder, kind: 'remove', path })
      } else if (operation.kind === 'rename') change({ folder, kind: 'rename', path, to: operation.to })
    }
    return { safe, pending }
  }
}

/** Makes a disk in a folder. */
export async function layOut(disk: ReadonlyMap<string, string | null>, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const [path, text] of [...disk].sort(([a], [b]) => a.length - b.length)) {
    if (text === null) await mkdir(join(folder, path), { recursive: true })
    else {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text, { mode: 0o600 })
    }
  }
}

function applyTo(names: Map<string, Content | null>, change: NameChange): void {
  const { path } = change
  if (change.kind === 'link') names.set(path, change.content)
  else if (change.kind === 'folder') names.set(path, null)
  else if (change.kind === 'remove') {
    for (const name of [...names.keys()]) if (name === path || name.startsWith(`${path}/`)) names.delete(name)
  } else if (change.kind === 'rename') {
    const content = names.get(path)
    if (content === undefined) return
    names.delete(path)
    names.set(change.to, content)
  }
}

function afterLoss({ safe, written }: Content, loss: 'nothing' | 'half' | 'all'): string {
  if (safe === written || loss === 'nothing') return written
  if (loss === 'all') return safe
  return written.startsWith(safe)
    ? written.slice(0, safe.length + Math.floor((written.length - safe.length) / 2))
    : written.slice(0, Math.floor(written.length / 2))
}

function choices<T>(changes: readonly T[]): T[][] {
  if (changes.length > mostCombined) {
    return [[], [...changes], ...changes.map((one) => [one]), ...changes.map((left) => changes.filter((one) => one !== left))]
  }
  return Array.from({ length: 2 ** changes.length }, (_, mask) => changes.filter((_one, bit) => (mask >> bit) & 1))
}
