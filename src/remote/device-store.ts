import type { Readable } from 'node:stream'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { cancelled, throwIfCancelled, untilAborted } from './cancellation.ts'
import { linkRuntimeScript, presenceScript, receiveScript, removeEverythingScript } from './device-store-scripts.ts'
import { noShell, runScript, type ScriptResult, startScript } from './remote-script.ts'
import { shownText } from './shown-text.ts'
import type { SshConnection } from './ssh-connection.ts'
import { type TarEntry, tarSizeBytes, writeTar } from './ustar.ts'

/** A file for the device's store. */
export interface StoreFile {
  readonly sha256: string
  readonly sizeBytes: number
  readonly executable: boolean
  /** Length of what `openGzip` yields; null when there is no compressed form. */
  readonly gzipBytes: number | null
  open(): Readable
  openGzip(): Readable
}

/** What one call had to send. */
export interface SentFiles {
  readonly files: number
  readonly bytes: number
  readonly hashes: readonly string[]
}

/** Hashing at 20 MB/s (an SD card) for 2 GB, and then some. */
const hashTimeoutMs = 180_000
/** Unpacking, hashing and syncing what was sent, at 2 MB/s for a full bundle. */
const keepTimeoutMs = 180_000
/** No byte went out for this long though the link is alive: the storage of the device hangs. */
const stallTimeoutMs = 120_000
/** Folders, log files, and what the file system itself needs. */
const spareDiskBytes = 20_000_000

/** How programs in the C locale say that a disk is full; the last is GNU tar's way. */
const noSpacePattern = /No space left|[Dd]isk quota exceeded|Wrote only \d+ of \d+ bytes/

/** The content-addressed store of one device, through one connection. */
export class DeviceStore {
  readonly #connection: SshConnection
  readonly #root: string
  /** Hashed on the device during this session; hashing the same 100 MB before every run would take seconds on a board. */
  readonly #hashed = new Set<string>()
  #last: Promise<void> = Promise.resolve()

  constructor(connection: SshConnection, root: string) {
    this.#connection = connection
    this.#root = root
  }

  pathOf(sha256: string): string {
    return `${this.#root}/blobs/${sha256}`
  }

  /**
   * Brings files to the store: only those that are not there or whose content was damaged, as one stream. All of them arrive or none.
   * The content of a file is hashed there once in a session, its length every time.
   * @throws EdgesmithError DEVICE_NO_SPACE, BUNDLE_CORRUPT (details.sha256), CONNECTION_LOST, DEVICE_COMMAND_FAILED, DEVICE_PROTOCOL,
   *   JOB_CANCELLED, FILE_UNREADABLE, TOO_LARGE
   */
  async bring(files: readonly StoreFile[], reporter: JobReporter, signal?: AbortSignal): Promise<SentFiles> {
    throwIfCancelled(signal)
    return this.#inTurn(() => this.#bring(files, reporter, signal), signal)
  }

  /** One at a time: two jobs that need the same file would send it twice. */
  async #inTurn<T>(work: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const before = this.#last
    let finish = () => {}
    this.#last = new Promise((resolve) => {
      finish = resolve
    })
    // Also when this one is cancelled while it waits: the next one still has to wait for the one before.
    const goOn = () => void before.then(finish)
    try {
      await untilAborted(before, signal)
    } catch (error) {
      goOn()
      throw error
    }
    return work().finally(finish)
  }

  async #bring(files: readonly StoreFile[], reporter: JobReporter, signal: AbortSignal | undefined): Promise<SentFiles> {
    const wanted = [...new Map(files.map((file) => [file.sha256, file])).values()]
    if (wanted.length === 0) return { files: 0, bytes: 0, hashes: [] }
    reporter.progress({ phase: 'checking what is on the device', done: 0, total: null, unit: 'files' })
    const there = await this.#presence(wanted, signal)
    for (const sha256 of there.damaged) reporter.log(`${sha256.slice(0, 12)} was damaged on the device and is sent again`)
    const missing = wanted.filter((file) => !there.have.has(file.sha256))
    const bytes = missing.length > 0 ? await this.#send(missing, there, reporter, signal) : 0
    for (const file of wanted) this.#hashed.add(file.sha256)
    return { files: missing.length, bytes, hashes: missing.map((file) => file.sha256) }
  }

  /** Makes an agent's folder out of stored files; the last one makes it whole. Answers its path. */
  async linkRuntime(id: string, files: readonly { readonly name: string; readonly sha256: string }[]): Promise<string> {
    const result = await runScript(this.#connection, linkRuntimeScript(this.#root, id, files), { timeoutMs: keepTimeoutMs })
    if (result.end.exitCode !== 0) throw this.#failure(result, 'The agent could not be put together')
    return `${this.#root}/runtime/${id}`
  }

  /** Deletes the whole folder of Edgesmith and ends what runs from it. @returns bytes it took */
  async removeEverything(): Promise<number> {
    const result = await runScript(this.#connection, removeEverythingScript(this.#root), { timeoutMs: hashTimeoutMs })
    this.#hashed.clear()
    const removed = /^removed=(\d{1,12})$/m.exec(result.stdout)
    if (result.end.exitCode !== 0 || !removed) throw this.#failure(result, 'Not everything could be deleted')
    return Number(removed[1]) * 1024
  }

  async #presence(files: readonly StoreFile[], signal: AbortSignal | undefined): Promise<Presence> {
    const sought = files.map(({ sha256, sizeBytes }) => ({ sha256, sizeBytes, lengthOnly: this.#hashed.has(sha256) }))
    const script = presenceScript(this.#root, sought)
    const result = await runScript(this.#connection, script, { timeoutMs: hashTimeoutMs, signal })
    if (result.end.exitCode !== 0 || !/^end=1$/m.test(result.stdout)) throw this.#failure(result, 'The store could not be read')
    const matches = (pattern: RegExp) => [...result.stdout.matchAll(pattern)].map((match) => match[1] ?? '')
    const disk = /^disk=.*?\s\d+\s+\d+\s+(\d{1,15})\s+\d+%/m.exec(result.stdout)
    return {
      have: new Set(matches(/^have=([0-9a-f]{64})$/gm)),
      damaged: matches(/^bad=([0-9a-f]{64})$/gm),
      canGunzip: /^gzip=yes$/m.test(result.stdout),
      freeBytes: disk ? Number(disk[1]) * 1024 : null,
    }
  }

  async #send(files: readonly StoreFile[], there: Presence, reporter: JobReporter, signal: AbortSignal | undefined): Promise<number> {
    const arriving = files.map((file) => ({ ...file, gzipped: there.canGunzip && file.gzipBytes !== null, file }))
    const entries = arriving.map(
      ({ file, gzipped }): TarEntry => ({
        name: gzipped ? `${file.sha256}.gz` : file.sha256,
        sizeBytes: gzipped ? (file.gzipBytes ?? 0) : file.sizeBytes,
        open: () => (gzipped ? file.openGzip() : file.open()),
      }),
    )
    const total = tarSizeBytes(entries)
    // Compressed files lie there beside their content until they are unpacked.
    const compressed = arriving.reduce((sum, { gzipBytes, gzipped }) => sum + (gzipped ? (gzipBytes ?? 0) : 0), 0)
    const needed = files.reduce((sum, file) => sum + file.sizeBytes, 0) + compressed + spareDiskBytes
    if (there.freeBytes !== null && there.freeBytes < needed) throw this.#noSpace(needed, there.freeBytes)

    const script = await startScript(this.#connection, receiveScript(this.#root, arriving))
    const stop = new AbortController()
    let failure: unknown = null
    const fail = (error: unknown) => {
      failure ??= error
      stop.abort()
      // Without its end the stream is worthless: the script over there throws everything away.
      script.abandon()
    }
    const cancel = () => fail(cancelled())
    signal?.addEventListener('abort', cancel, { once: true })
    let stall: NodeJS.Timeout | undefined
    const expectWithin = (timeoutMs: number, what: string) => {
      clearTimeout(stall)
      stall = setTimeout(() => fail(this.#commandFailed(`${what} for ${timeoutMs / 1000} s`, 'Is its storage failing?')), timeoutMs)
    }
    const startedAt = performance.now()
    let sent = 0
    const outcome = this.#readOutcome(script, files.length, reporter)
    // The script may end first: a full disk, a link that broke. Then nothing more has to be sent.
    const ended = script.ended.finally(() => stop.abort())
    try {
      expectWithin(stallTimeoutMs, 'took nothing more')
      await writeTar(script.stdin, entries, stop.signal, (bytes) => {
        sent += bytes
        expectWithin(stallTimeoutMs, 'took nothing more')
        reporter.progress({ phase: 'sending to the device', done: Math.min(sent, total), total, unit: 'bytes' })
      }).catch(fail)
      script.stdin.end()
      expectWithin(keepTimeoutMs, 'did not finish with what was sent')
      const end = await ended
      const said = await outcome
      if (failure) throw failure
      if (end.connectionLost) throw this.#connection.lost()
      if (!script.started()) throw noShell(this.#connection, script, shownText(said.stderr))
      if (end.exitCode !== 0 || said.stored !== files.length) throw this.#failure({ end, ...said }, 'The files could not be stored')
    } finally {
      clearTimeout(stall)
      signal?.removeEventListener('abort', cancel)
    }
    const seconds = (performance.now() - startedAt) / 1000
    reporter.log(
      `Sent ${files.length} files, ${(sent / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s (${(sent / 1e6 / seconds).toFixed(1)} MB/s)`,
    )
    return sent
  }

  async #readOutcome(script: { stdout: Readable; stderr: Readable }, files: number, reporter: JobReporter) {
    let stderr = ''
    script.stderr.on('data', (chunk: Buffer) => {
      if (stderr.length < 10_000) stderr += chunk.toString('utf8')
    })
    let stdout = ''
    let checked = 0
    for await (const chunk of script.stdout as AsyncIterable<Buffer>) {
      if (stdout.length < 1_000_000) stdout += chunk.toString('utf8')
      const now = stdout.match(/^checked=/gm)?.length ?? 0
      if (now > checked) reporter.progress({ phase: 'checking what arrived', done: now, total: files, unit: 'files' })
      checked = now
    }
    return { stdout, stderr, stored: stdout.match(/^stored=[0-9a-f]{64}$/gm)?.length ?? 0 }
  }

  #failure(result: ScriptResult, what: string): EdgesmithError {
    if (noSpacePattern.test(result.stderr)) return this.#noSpace(null, null)
    const corrupt = /^corrupt=([0-9a-f]{64})$/m.exec(result.stdout)?.[1]
    if (corrupt) {
      return new EdgesmithError(
        'BUNDLE_CORRUPT',
        `A file arrived on ${this.#connection.place} with another content (${corrupt.slice(0, 12)})`,
        {
          hint: 'Start again. If it stays, the storage of the device or of this computer is failing.',
          details: { sha256: corrupt },
        },
      )
    }
    return this.#commandFailed(
      `${what.charAt(0).toLowerCase()}${what.slice(1)}: ${shownText(result.stderr) || `exit code ${result.end.exitCode}`}`,
      undefined,
    )
  }

  #commandFailed(what: string, hint: string | undefined): EdgesmithError {
    return new EdgesmithError('DEVICE_COMMAND_FAILED', `${this.#connection.place}: ${what}`, { hint })
  }

  #noSpace(needed: number | null, free: number | null): EdgesmithError {
    const numbers = needed === null || free === null ? '' : `: ${Math.ceil(needed / 1e6)} MB needed, ${Math.floor(free / 1e6)} MB free`
    return new EdgesmithError('DEVICE_NO_SPACE', `Not enough free disk on ${this.#connection.place}${numbers}`, {
      hint: 'Free some space on the device, for example: sudo apt-get clean. Nothing was left there.',
      details: { neededBytes: needed, freeBytes: free },
    })
  }
}

interface Presence {
  readonly have: ReadonlySet<string>
  readonly damaged: readonly string[]
  readonly canGunzip: boolean
  readonly freeBytes: number | null
}
