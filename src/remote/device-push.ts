import type { Readable } from 'node:stream'
import type { JobReporter } from '../contract/job.ts'
import { cancelledError } from '../platform/cancellation.ts'
import { noSpaceFor, storeCommandFailed, storeFailure } from './device-store-failure.ts'
import { type ArrivingBlob, receiveScript } from './device-store-receive-script.ts'
import { chunkLength, missingChunks } from './form-chunks.ts'
import { noShell, type RunningScript, startScript } from './remote-script.ts'
import { shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'
import type { StoreFile, StoreForm } from './store-file.ts'
import { TransferRate } from './transfer-rate.ts'
import { type TarEntry, tarSizeBytes, writeTar } from './ustar.ts'

/** Unpacking, hashing and syncing what was sent, at 2 MB/s for a full bundle. */
const keepTimeoutMs = 180_000
/** No byte went out for this long though the link is alive: the storage of the device hangs. */
const stallTimeoutMs = 120_000
/** Folders, log files, and what the file system itself needs. */
const spareDiskBytes = 20_000_000
/** The names of all chunks of several files of 8 GiB. */
const mostAnswerCharacters = 4_000_000

/** Where to push, and what is known of the place. */
export interface PushPlace {
  readonly channels: SshChannels
  readonly root: string
  /** Marks uploads of this session. */
  readonly owner: string
  readonly canGunzip: boolean
  readonly freeBytes: number | null
}

/** What came of it. All files but the corrupt ones are in the store then. */
export interface PushOutcome {
  readonly bytes: number
  readonly corrupt: readonly string[]
}

/** A file in the form in which it goes. */
interface Travelling {
  readonly file: StoreFile
  readonly form: StoreForm
  readonly gzipped: boolean
}

/**
 * Sends files to the store of a device in one stream, without the chunks that an interrupted push left there.
 * @throws EdgesmithError DEVICE_NO_SPACE, CONNECTION_LOST, DEVICE_COMMAND_FAILED, JOB_CANCELLED, FILE_UNREADABLE, TOO_LARGE, BUNDLE_CORRUPT
 *   (compressed file damaged here)
 */
export async function pushFiles(
  place: PushPlace,
  files: readonly StoreFile[],
  reporter: JobReporter,
  signal: AbortSignal | undefined,
): Promise<PushOutcome> {
  const travelling = files.map((file): Travelling => {
    const gzipped = place.canGunzip && file.gzip !== null
    return { file, form: gzipped && file.gzip ? file.gzip : file.plain, gzipped }
  })
  const arriving = travelling.map(
    ({ file, form, gzipped }): ArrivingBlob => ({
      sha256: file.plain.sha256,
      executable: file.executable,
      gzipped,
      key: form.sha256,
      sizeBytes: form.sizeBytes,
    }),
  )
  const script = await startScript(place.channels, receiveScript(place.root, place.owner, arriving))
  return new Push(place, travelling, script, reporter).run(signal)
}

class Push {
  readonly #place: PushPlace
  readonly #travelling: readonly Travelling[]
  readonly #script: RunningScript
  readonly #reporter: JobReporter
  readonly #stop = new AbortController()
  #failure: unknown = null
  #stall: NodeJS.Timeout | undefined
  #sent = 0

  constructor(place: PushPlace, travelling: readonly Travelling[], script: RunningScript, reporter: JobReporter) {
    this.#place = place
    this.#travelling = travelling
    this.#script = script
    this.#reporter = reporter
  }

  async run(signal: AbortSignal | undefined): Promise<PushOutcome> {
    const script = this.#script
    const cancel = () => this.#fail(cancelledError())
    signal?.addEventListener('abort', cancel, { once: true })
    if (signal?.aborted) cancel()
    const startedAt = performance.now()
    const answer = new PushAnswer(script, this.#travelling.length, this.#reporter)
    // The script may end first: a full disk, a link that broke. Then nothing more has to be sent.
    const ended = script.ended.finally(() => this.#stop.abort())
    try {
      this.#expectWithin(keepTimeoutMs, 'was not ready to take files')
      const held = await answer.ready
      if (held !== null && this.#failure === null) await this.#send(held).catch((error) => this.#fail(error))
      script.stdin.end()
      this.#expectWithin(keepTimeoutMs, 'did not finish with what was sent')
      const end = await ended
      const said = await answer.end
      if (this.#failure) throw this.#failure
      const { channels } = this.#place
      if (end.connectionLost) throw channels.lost()
      if (!script.started()) throw noShell(channels, script, shownText(said.stderr))
      if (said.stored + said.corrupt.length !== this.#travelling.length) {
        throw storeFailure(channels.place, { end, ...said }, 'The files could not be stored')
      }
      this.#logSpeed(said.stored, (performance.now() - startedAt) / 1000)
      return { bytes: this.#sent, corrupt: said.corrupt }
    } finally {
      clearTimeout(this.#stall)
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** @param held chunks that are there, by what travels */
  async #send(held: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
    const nothing: ReadonlySet<string> = new Set()
    const heldBytes = this.#travelling.reduce((sum, { form }) => sum + lengthOf(form, held.get(form.sha256) ?? nothing), 0)
    const needed = this.#neededBytes() - heldBytes
    const { freeBytes, channels } = this.#place
    const { stdin } = this.#script
    if (freeBytes !== null && freeBytes < needed) {
      // Said by a script that then still runs: it has to take away what an earlier push left.
      stdin.write('drop\n')
      this.#failure ??= noSpaceFor(channels.place, needed, freeBytes)
      return
    }
    if (heldBytes > 0) this.#reporter.log(`${megabytes(heldBytes)} are there already, from a push that was interrupted`)
    const entries = this.#travelling.flatMap(({ file, form }) => missingChunks(file.name, form, held.get(form.sha256) ?? nothing))
    stdin.write('send\n')
    await this.#stream(entries, heldBytes)
  }

  async #stream(entries: readonly TarEntry[], heldBytes: number): Promise<void> {
    const total = tarSizeBytes(entries)
    const rate = new TransferRate(performance.now())
    this.#expectWithin(stallTimeoutMs, 'took nothing more')
    await writeTar(this.#script.stdin, entries, this.#stop.signal, (bytes) => {
      this.#sent += bytes
      rate.add(bytes, performance.now())
      this.#expectWithin(stallTimeoutMs, 'took nothing more')
      this.#reporter.progress({
        phase: `sending to the device${rate.text === null ? '' : `, ${rate.text}`}`,
        done: heldBytes + Math.min(this.#sent, total),
        total: heldBytes + total,
        unit: 'bytes',
      })
    })
  }

  /** Compressed chunks lie there beside their content until that is checked; others become the content. */
  #neededBytes(): number {
    return this.#travelling.reduce(
      (sum, { file, form, gzipped }) => sum + file.plain.sizeBytes + (gzipped ? form.sizeBytes : 0),
      spareDiskBytes,
    )
  }

  #expectWithin(timeoutMs: number, what: string): void {
    clearTimeout(this.#stall)
    const { place } = this.#place.channels
    this.#stall = setTimeout(
      () => this.#fail(storeCommandFailed(place, `${what} for ${timeoutMs / 1000} s`, 'Is its storage failing?')),
      timeoutMs,
    )
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#stop.abort()
    // Without its end the stream is worthless: the script over there keeps the whole chunks and goes.
    this.#script.abandon()
  }

  #logSpeed(files: number, seconds: number): void {
    this.#reporter.log(
      `Sent ${files} files, ${megabytes(this.#sent)} in ${seconds.toFixed(1)} s (${(this.#sent / 1e6 / seconds).toFixed(1)} MB/s)`,
    )
  }
}

function lengthOf(form: StoreForm, chunks: ReadonlySet<string>): number {
  return [...chunks].reduce((sum, name) => sum + chunkLength(form, Number(name)), 0)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

interface PushEnd {
  readonly stdout: string
  readonly stderr: string
  readonly stored: number
  readonly corrupt: readonly string[]
}

/** What the receiving script says, while it says it. */
class PushAnswer {
  /** The chunks that are there, once the script waits for more; null when it ended before. */
  readonly ready: Promise<ReadonlyMap<string, ReadonlySet<string>> | null>
  readonly end: Promise<PushEnd>
  #settleReady: (held: ReadonlyMap<string, ReadonlySet<string>> | null) => void = () => undefined
  #stdout = ''
  #stderr = ''

  constructor(script: { readonly stdout: Readable; readonly stderr: Readable }, files: number, reporter: JobReporter) {
    this.ready = new Promise((resolve) => {
      this.#settleReady = resolve
    })
    script.stderr.on('data', (chunk: Buffer) => {
      if (this.#stderr.length < 10_000) this.#stderr += chunk.toString('utf8')
    })
    this.end = this.#read(script.stdout, files, reporter).finally(() => this.#settleReady(null))
  }

  async #read(stdout: Readable, files: number, reporter: JobReporter): Promise<PushEnd> {
    let isReady = false
    let checked = 0
    for await (const chunk of stdout as AsyncIterable<Buffer>) {
      if (this.#stdout.length < mostAnswerCharacters) this.#stdout += chunk.toString('latin1')
      if (!isReady) {
        isReady = /^ready=1$/m.test(this.#stdout)
        if (isReady) this.#settleReady(heldChunks(this.#stdout))
        continue
      }
      const now = this.#count(/^checked=/gm)
      if (now > checked) reporter.progress({ phase: 'checking what arrived', done: now, total: files, unit: 'files' })
      checked = now
    }
    return {
      stdout: this.#stdout,
      stderr: this.#stderr,
      stored: this.#count(/^stored=[0-9a-f]{64}$/gm),
      corrupt: [...this.#stdout.matchAll(/^corrupt=([0-9a-f]{64})$/gm)].map((match) => match[1] ?? ''),
    }
  }

  #count(pattern: RegExp): number {
    return this.#stdout.match(pattern)?.length ?? 0
  }
}

function heldChunks(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const lines = [...text.matchAll(/^held=([0-9a-f]{64})((?: \d{5})*)$/gm)]
  return new Map(lines.map(([, key = '', names = '']) => [key, new Set(names.split(' ').filter((name) => name !== ''))]))
}
