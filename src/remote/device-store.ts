import { randomBytes } from 'node:crypto'
import { EdgesmithError } from '../contract/errors.ts'
import type { JobReporter } from '../contract/job.ts'
import { throwIfCancelled, untilAborted } from '../platform/cancellation.ts'
import type { AgentBundle } from './agent-bundle.ts'
import { type PushOutcome, type PushPlace, pushFiles } from './device-push.ts'
import { arrivedCorrupt, storeFailure, unitsLeft } from './device-store-failure.ts'
import { pruneStoreScript } from './device-store-prune-script.ts'
import { linkRuntimeScript, presenceScript, removeEverythingScript, storeExit } from './device-store-scripts.ts'
import { runScript } from './remote-script.ts'
import { shownText } from './shown-text.ts'
import type { SshChannels } from './ssh-channels.ts'
import { bundledFile, discardDamaged, type StoreFile } from './store-file.ts'

/** What one call had to send. */
export interface SentFiles {
  readonly files: number
  readonly bytes: number
  readonly hashes: readonly string[]
}

/** What was cleared away. */
export interface PrunedStore {
  readonly runtimes: number
  readonly bytes: number
}

/** Hashing at 20 MB/s (an SD card) for 2 GB, and then some. */
const hashTimeoutMs = 180_000
/** Copying, where the file system has no links, at 2 MB/s for a full bundle. */
const linkTimeoutMs = 180_000

/** The content-addressed store of one device, through one connection or a link that is mended. */
export class DeviceStore {
  readonly #connection: SshChannels
  readonly #root: string
  /** In the folder of every upload, so that one of ours that a broken link left is known. */
  readonly #owner = randomBytes(12).toString('hex')
  /** Hashed on the device during this session; hashing the same 100 MB before every run would take seconds on a board. */
  readonly #hashed = new Set<string>()
  #doubted = false
  #publicKey: string | null = null
  #last: Promise<void> = Promise.resolve()

  constructor(connection: SshChannels, root: string) {
    this.#connection = connection
    this.#root = root
  }

  pathOf(sha256: string): string {
    return `${this.#root}/blobs/${sha256}`
  }

  /**
   * Brings files to the store: only those that are not there or whose content was damaged, as one stream, and of them only what an
   * interrupted push did not bring. The content of a file is hashed there once in a session, its length every time.
   * After CONNECTION_LOST the next call goes on where the link broke.
   * @throws EdgesmithError DEVICE_NO_SPACE, BUNDLE_CORRUPT (details.sha256), CONNECTION_LOST, DEVICE_COMMAND_FAILED, DEVICE_PROTOCOL,
   *   JOB_CANCELLED, FILE_UNREADABLE, TOO_LARGE
   */
  async bring(files: readonly StoreFile[], reporter: JobReporter, signal?: AbortSignal): Promise<SentFiles> {
    throwIfCancelled(signal)
    return this.#inTurn(() => this.#bring(files, reporter, signal), signal)
  }

  /**
   * Brings an agent, makes its folder, and has the device trust its signature. Of files that are there only the length is compared, unless
   * they are in {@link doubt}: the agent hashes them itself in its self-test, and once is enough.
   * @throws EdgesmithError as {@link bring}
   */
  async bringAgent(bundle: AgentBundle, reporter: JobReporter, signal?: AbortSignal): Promise<{ sent: SentFiles; runtime: string }> {
    if (!this.#doubted) for (const { sha256 } of bundle.files) this.#hashed.add(sha256)
    this.#doubted = false
    const bring = () =>
      this.bring(bundle.files.map(bundledFile), reporter, signal).catch(async (error) => {
        await discardDamaged(bundle, error)
        throw error
      })
    let sent = await bring()
    let runtime = await this.#linkRuntime(bundle, reporter)
    if (runtime === null) {
      // Another computer cleared up between the two steps.
      const again = await bring()
      sent = { files: sent.files + again.files, bytes: sent.bytes + again.bytes, hashes: [...sent.hashes, ...again.hashes] }
      runtime = await this.#linkRuntime(bundle, reporter)
    }
    if (runtime !== null) return { sent, runtime }
    throw new EdgesmithError('DEVICE_BUSY', `Files of the agent vanish from ${this.#connection.place} as soon as they are there`, {
      hint: 'Is another program deleting ~/.edgesmith?',
    })
  }

  /** The contents on the device are not believed any more: the next {@link bring} hashes them. */
  doubt(): void {
    this.#doubted = true
    this.#hashed.clear()
  }

  /**
   * Clears away agents other than `keepIds` that neither a process nor a service uses, and files nobody needs: those of such agents, and
   * models and datasets that were not used for 30 days or are beyond the 2 GB used last. What another computer uses stays.
   * @throws EdgesmithError CONNECTION_LOST, DEVICE_COMMAND_FAILED
   */
  async removeOldRuntimes(...keepIds: string[]): Promise<PrunedStore> {
    const result = await runScript(this.#connection, pruneStoreScript(this.#root, keepIds, this.#publicKey ?? 'none'), {
      timeoutMs: hashTimeoutMs,
    })
    if (result.end.exitCode !== 0) throw storeFailure(this.#connection.place, result, 'Old files could not be cleared away')
    const freed = [...result.stdout.matchAll(/^freed=(\d{1,15})$/gm)]
    return {
      runtimes: result.stdout.match(/^runtime=/gm)?.length ?? 0,
      bytes: freed.reduce((sum, match) => sum + Number(match[1]), 0),
    }
  }

  /**
   * Deletes the whole folder of Edgesmith and ends what runs from it.
   * @returns bytes it took
   * @throws EdgesmithError SUDO_NEEDED (a system unit is left, all else is gone), CONNECTION_LOST, DEVICE_COMMAND_FAILED
   */
  async removeEverything(): Promise<number> {
    const result = await runScript(this.#connection, removeEverythingScript(this.#root), { timeoutMs: hashTimeoutMs })
    this.#hashed.clear()
    const removed = /^removed=(\d{1,12})$/m.exec(result.stdout)
    if (result.end.exitCode !== 0 || !removed) throw storeFailure(this.#connection.place, result, 'Not everything could be deleted')
    const left = [...result.stdout.matchAll(/^left=(.*)$/gm)].map(([, unit = '']) => shownText(unit))
    if (left.length > 0) throw unitsLeft(this.#connection.place, left)
    return Number(removed[1]) * 1024
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
    const wanted = [...new Map(files.map((file) => [file.plain.sha256, file])).values()]
    if (wanted.length === 0) return { files: 0, bytes: 0, hashes: [] }
    reporter.progress({ phase: 'checking what is on the device', done: 0, total: null, unit: 'files' })
    const there = await this.#presence(wanted, signal)
    for (const sha256 of there.damaged) reporter.log(`${sha256.slice(0, 12)} was damaged on the device and is sent again`)
    const missing = wanted.filter((file) => !there.have.has(file.plain.sha256))
    const bytes = missing.length > 0 ? await this.#push(missing, there, reporter, signal) : 0
    for (const file of wanted) this.#hashed.add(file.plain.sha256)
    return { files: missing.length, bytes, hashes: missing.map((file) => file.plain.sha256) }
  }

  /** @returns bytes that were sent */
  async #push(files: readonly StoreFile[], there: Presence, reporter: JobReporter, signal: AbortSignal | undefined): Promise<number> {
    const { canGunzip, freeBytes } = there
    const place: PushPlace = { channels: this.#connection, root: this.#root, owner: this.#owner, canGunzip, freeBytes }
    const corruptOf = (outcome: PushOutcome) => files.filter((file) => outcome.corrupt.includes(file.plain.sha256))
    const first = await pushFiles(place, files, reporter, signal)
    const corrupt = corruptOf(first)
    if (corrupt.length === 0) return first.bytes
    // Chunks that a power cut damaged are the likely reason; they are gone now.
    for (const { name } of corrupt) reporter.log(`${name} did not arrive as it is and is sent once more`)
    const second = await pushFiles({ ...place, freeBytes: null }, corrupt, reporter, signal)
    const [hopeless] = corruptOf(second)
    if (hopeless) throw arrivedCorrupt(this.#connection.place, hopeless.plain.sha256, hopeless.name)
    return first.bytes + second.bytes
  }

  /** The path of the folder; null when a file was cleared away since it was looked for. */
  async #linkRuntime(bundle: AgentBundle, reporter: JobReporter): Promise<string | null> {
    const script = linkRuntimeScript(this.#root, bundle.id, bundle.files, bundle.publicKey)
    const result = await runScript(this.#connection, script, { timeoutMs: linkTimeoutMs })
    if (result.end.exitCode === storeExit.blobMissing) return null
    if (result.end.exitCode !== 0) throw storeFailure(this.#connection.place, result, 'The agent could not be put together')
    this.#publicKey = bundle.publicKey
    const trusted = /^trusted=(\d{1,6})$/m.exec(result.stdout)?.[1]
    if (trusted !== undefined) {
      const count = Number(trusted)
      reporter.log(`The device trusts agents of this computer from now on${count > 1 ? `; it trusts ${count} computers` : ''}`)
    }
    return `${this.#root}/runtime/${bundle.id}`
  }

  async #presence(files: readonly StoreFile[], signal: AbortSignal | undefined): Promise<Presence> {
    const sought = files.map(({ plain, gzip }) => ({
      sha256: plain.sha256,
      sizeBytes: plain.sizeBytes,
      lengthOnly: this.#hashed.has(plain.sha256),
      travelsAs: [plain.sha256, ...(gzip ? [gzip.sha256] : [])],
    }))
    const script = presenceScript(this.#root, this.#owner, sought)
    const result = await runScript(this.#connection, script, { timeoutMs: hashTimeoutMs, signal })
    if (result.end.exitCode !== 0 || !/^end=1$/m.test(result.stdout)) {
      throw storeFailure(this.#connection.place, result, 'The store could not be read')
    }
    const matches = (pattern: RegExp) => [...result.stdout.matchAll(pattern)].map((match) => match[1] ?? '')
    const disk = /^disk=.*?\s\d+\s+\d+\s+(\d{1,15})\s+\d+%/m.exec(result.stdout)
    return {
      have: new Set(matches(/^have=([0-9a-f]{64})$/gm)),
      damaged: matches(/^bad=([0-9a-f]{64})$/gm),
      canGunzip: /^gzip=yes$/m.test(result.stdout),
      freeBytes: disk ? Number(disk[1]) * 1024 : null,
    }
  }
}

interface Presence {
  readonly have: ReadonlySet<string>
  readonly damaged: readonly string[]
  readonly canGunzip: boolean
  readonly freeBytes: number | null
}
