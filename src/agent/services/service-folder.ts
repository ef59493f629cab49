import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import { type ReleaseFailure, type Routing, releaseFailureSchema, routingSchema, type ServiceEvent } from '../../contract/routing.ts'
import {
  type Release,
  type ReleaseFile,
  releaseIdSchema,
  releaseSchema,
  releaseText,
  type ServiceSettings,
  type ServiceSettingsFile,
  type ServiceState,
  serviceSettingsSchema,
  serviceStateSchema,
} from '../../contract/service.ts'
import { parseJson } from '../../core/parse-json.ts'
import { type DurableFiles, diskFiles, makeDurableFolder, replaceFile } from '../../platform/durable-files.ts'
import { sha256Of } from '../../platform/file-hash.ts'
import { lastLines } from '../../platform/last-lines.ts'
import { readIfThere } from '../../platform/read-file.ts'
import { readToken } from '../serve/service-config.ts'
import { appendEvent } from './event-file.ts'
import { readEvents } from './read-events.ts'

/** Longest file of a service that is read: golden answers and the reference of drift may take tens of megabytes. */
const longestFileBytes = 200_000_000

/**
 * The folder of a service on the machine that runs it (`src/contract/service.ts` says what is in it). Every write is durable when it
 * settles; whoever reads finds files whole.
 */
export class ServiceFolder {
  readonly path: string
  readonly files: DurableFiles

  /** @param path absolute */
  constructor(path: string, files: DurableFiles = diskFiles) {
    this.path = resolve(path)
    this.files = files
  }

  get statePath(): string {
    return this.at('state.json')
  }
  get predictionsPath(): string {
    return this.at('predictions.sqlite')
  }
  get webhookStatePath(): string {
    return this.at('webhook.json')
  }
  get webhookSecretPath(): string {
    return this.at('webhook-secret')
  }
  get logPath(): string {
    return this.at('log')
  }

  /** A file in the folder. */
  at(name: string): string {
    return join(this.path, name)
  }

  releasePath(id: string, name = 'release.json'): string {
    return join(this.path, 'releases', id, name)
  }

  /** @throws EdgesmithError `FILE_NOT_FOUND`, `USAGE` */
  async readSettings(): Promise<ServiceSettings> {
    const text = await readIfThere(this.at('service.json'), longestFileBytes)
    if (text === null) throw missing(this.at('service.json'), 'settings')
    return parsed(text, serviceSettingsSchema, this.at('service.json'))
  }

  async writeSettings(settings: ServiceSettingsFile): Promise<void> {
    await this.replace('service.json', toText(settings))
  }

  /** Null where none is written yet. @throws EdgesmithError `USAGE` */
  async readRouting(): Promise<Routing | null> {
    const text = await readIfThere(this.at('routing.json'), longestFileBytes)
    return text === null ? null : parsed(text, routingSchema, this.at('routing.json'))
  }

  async writeRouting(routing: Routing): Promise<void> {
    await this.replace('routing.json', toText(routing))
  }

  /** Checks that the file is the one its name says. @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` */
  async readRelease(id: string): Promise<Release> {
    const path = this.releasePath(id)
    const text = await readIfThere(path, longestFileBytes)
    if (text === null) throw missing(path, `release ${id}`)
    if (releaseIdOf(text) !== id) {
      throw new EdgesmithError('BUNDLE_CORRUPT', `The release ${path} is not the one that was deployed: its hash differs.`, {
        hint: 'Deploy the model again.',
        details: { expected: id, found: releaseIdOf(text) },
      })
    }
    return parsed(text, releaseSchema, path)
  }

  /** Writes a release; answers its id. */
  async writeRelease(release: ReleaseFile): Promise<string> {
    const text = releaseText(release)
    const id = releaseIdOf(text)
    await makeDurableFolder(this.files, this.at('releases'))
    await makeDurableFolder(this.files, join(this.at('releases'), id))
    await replaceFile(this.files, this.releasePath(id), text)
    return id
  }

  /** Absolute path of a release's model. */
  modelPath(release: Release, id: string): string {
    return resolve(join(this.path, 'releases', id), release.modelPath)
  }

  /** Those whose file is there; newest last. */
  async listReleases(): Promise<{ id: string; createdAt: string }[]> {
    const names = await readdir(this.at('releases')).catch(absent([]))
    const found: { id: string; createdAt: string }[] = []
    for (const id of names) {
      if (!releaseIdSchema.safeParse(id).success) continue
      const file = await stat(this.releasePath(id)).catch(absent(null))
      if (file) found.push({ id, createdAt: file.mtime.toISOString() })
    }
    return found.sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : 0))
  }

  async writeFailure(id: string, failure: ReleaseFailure): Promise<void> {
    await replaceFile(this.files, this.releasePath(id, 'failure.json'), toText(failure))
  }

  async clearFailure(id: string): Promise<void> {
    await this.files.remove(this.releasePath(id, 'failure.json'))
    await this.files.syncFolder(join(this.path, 'releases', id))
  }

  /** Null where the release did not fail, or what was written about it cannot be read. */
  async readFailure(id: string): Promise<ReleaseFailure | null> {
    return readJson(this.releasePath(id, 'failure.json'), releaseFailureSchema)
  }

  /** @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `USAGE` (not a token, or others may read it) */
  readToken(): Promise<string> {
    return readToken(this.at('token'))
  }

  /** Null where there is none. @throws EdgesmithError `USAGE` (not a secret, or others may read it) */
  async readWebhookSecret(): Promise<string | null> {
    return (await readIfThere(this.webhookSecretPath, longestFileBytes)) === null ? null : readToken(this.webhookSecretPath)
  }

  async appendEvent(event: ServiceEvent): Promise<void> {
    await appendEvent(this.files, this.at('events.jsonl'), event)
  }

  /** The newest ones, oldest first. */
  readEvents(most: number): Promise<ServiceEvent[]> {
    return readEvents(this.at('events.jsonl'), most)
  }

  /** What the serving process wrote once it listened; null where none did. */
  readState(): Promise<ServiceState | null> {
    return readJson(this.statePath, serviceStateSchema)
  }

  /** Last lines of the log, the one set aside included; empty where there is none. */
  logTail(lines: number): Promise<string> {
    return lastLines([this.at('log.1'), this.logPath], lines)
  }

  /** Replaces a file of the folder, durably. */
  replace(name: string, text: string): Promise<void> {
    return replaceFile(this.files, this.at(name), text)
  }
}

/** First 16 hex digits of the SHA-256 of a `release.json`. */
export function releaseIdOf(text: string): string {
  return sha256Of(Buffer.from(text, 'utf8')).slice(0, 16)
}

function toText(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`
}

/** A file that may be missing or, written by a process that died, of no use. */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  const text = await readIfThere(path, longestFileBytes)
  return text === null ? null : (schema.safeParse(parseJson(text)).data ?? null)
}

function parsed<T>(text: string, schema: z.ZodType<T>, path: string): T {
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new EdgesmithError('USAGE', `${path} is not JSON.`)
  }
  const result = schema.safeParse(raw)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new EdgesmithError('USAGE', `${path} is not valid: ${issue?.path.join('.') || 'the file'} ${issue?.message ?? ''}`)
}

function missing(path: string, what: string): EdgesmithError {
  return new EdgesmithError('FILE_NOT_FOUND', `The service's ${what} ${path} does not exist.`, { hint: 'Deploy the model again.' })
}

/** Something else instead of a file that is not there. */
function absent<T>(instead: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return instead
    throw error
  }
}
