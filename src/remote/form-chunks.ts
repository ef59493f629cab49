import { EdgesmithError } from '../contract/errors.ts'
import { chunkBytes, chunkName } from './device-store-receive-script.ts'
import type { StoreForm } from './store-file.ts'
import type { TarEntry } from './ustar.ts'

/** 8 GiB: more names than a command line on the device can hold would come of it. */
const mostChunks = 8192

/** Length of one chunk; all but the last have the same. */
export function chunkLength({ sizeBytes }: StoreForm, index: number): number {
  return Math.min(chunkBytes, sizeBytes - index * chunkBytes)
}

/**
 * The chunks of a form that a device lacks, as members of a tar stream, to be read in their order: one pass over the file.
 * @param name of the file, for messages
 * @param held names of the chunks that are there
 * @throws EdgesmithError TOO_LARGE beyond 8 GiB
 */
export function missingChunks(name: string, form: StoreForm, held: ReadonlySet<string>): TarEntry[] {
  const count = Math.ceil(form.sizeBytes / chunkBytes)
  if (count > mostChunks) {
    throw new EdgesmithError('TOO_LARGE', `${name} has ${form.sizeBytes} bytes; at most ${mostChunks * chunkBytes} can be sent to a device`)
  }
  const reader = new FormReader(name, form)
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => !held.has(chunkName(index)))
    .map((index) => ({
      name: `${form.sha256}/${chunkName(index)}`,
      sizeBytes: chunkLength(form, index),
      open: () => reader.slice(index * chunkBytes, chunkLength(form, index)),
    }))
}

/** Reads slices of a form; those that follow each other from one stream. */
class FormReader {
  readonly #name: string
  readonly #form: StoreForm
  #pieces: AsyncIterator<Buffer> | null = null
  #position = 0
  #rest: Buffer = Buffer.alloc(0)

  constructor(name: string, form: StoreForm) {
    this.#name = name
    this.#form = form
  }

  /** @throws EdgesmithError FILE_UNREADABLE when the file has another length than was said, and what reading it throws */
  async *slice(from: number, length: number): AsyncGenerator<Buffer, void> {
    let left = length
    let whole = false
    try {
      if (this.#pieces === null || this.#position !== from) await this.#openAt(from)
      while (left > 0) {
        const piece = this.#rest.length > 0 ? this.#rest : await this.#next()
        if (piece === null) throw this.#changed()
        const part = piece.subarray(0, left)
        this.#rest = piece.subarray(part.length)
        this.#position += part.length
        left -= part.length
        yield part
      }
      if (this.#position === this.#form.sizeBytes && (this.#rest.length > 0 || (await this.#next()) !== null)) throw this.#changed()
      whole = true
    } finally {
      // Given up in the middle, or read to the end.
      if (!whole || this.#position >= this.#form.sizeBytes) await this.#close()
    }
  }

  async #openAt(from: number): Promise<void> {
    await this.#close()
    this.#pieces = this.#form.open(from)[Symbol.asyncIterator]()
    this.#position = from
  }

  async #next(): Promise<Buffer | null> {
    const next = await this.#pieces?.next()
    return next === undefined || next.done === true ? null : next.value
  }

  async #close(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = null
    this.#rest = Buffer.alloc(0)
    await pieces?.return?.()
  }

  #changed(): EdgesmithError {
    return new EdgesmithError('FILE_UNREADABLE', `${this.#name} changed while it was being sent`, { hint: 'Start again.' })
  }
}
