import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import { EdgesmithError } from '../../contract/errors.ts'
import { type ServiceConfig, serviceConfigSchema } from '../../contract/service.ts'
import { sha256Of } from '../../platform/file-hash.ts'

/** Printable ASCII without spaces, long enough not to be guessed. */
const TOKEN = /^[\x21-\x7e]{16,256}$/

/** Reads and checks the file a service is described in. @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `USAGE` */
export async function readServiceConfig(path: string): Promise<ServiceConfig> {
  const text = await readText(path, 'configuration')
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    throw new EdgesmithError('USAGE', `The service configuration ${path} is not JSON.`)
  }
  const parsed = serviceConfigSchema.safeParse(raw)
  if (!parsed.success) throw new EdgesmithError('USAGE', `The service configuration ${path} is not valid: ${z.prettifyError(parsed.error)}`)
  return parsed.data
}

/** Reads the access token. @throws EdgesmithError `FILE_NOT_FOUND`, `FILE_UNREADABLE`, `USAGE` (not a token, or others may read it) */
export async function readToken(path: string): Promise<string> {
  const token = (await readText(path, 'token')).trim()
  if (!TOKEN.test(token)) throw new EdgesmithError('USAGE', `The token file ${path} must hold 16 to 256 printable characters.`)
  // Windows keeps no such bits.
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0) {
    throw new EdgesmithError('USAGE', `The token file ${path} can be read by other users.`, { hint: `Run: chmod 600 ${path}` })
  }
  return token
}

/** The token of the environment, for containers; null where none is set. @throws EdgesmithError `USAGE` (not a token) */
export function tokenFromEnvironment(): string | null {
  const token = process.env.EDGESMITH_TOKEN
  if (token === undefined || token === '') return null
  if (TOKEN.test(token)) return token
  throw new EdgesmithError('USAGE', 'EDGESMITH_TOKEN must be 16 to 256 printable characters without spaces.')
}

/** Reads the model and checks that it is the one the configuration means. @throws EdgesmithError `FILE_NOT_FOUND`, `BUNDLE_CORRUPT` */
export async function readServiceModel({ modelPath, modelSha256 }: Pick<ServiceConfig, 'modelPath' | 'modelSha256'>): Promise<Uint8Array> {
  const bytes = await readFile(modelPath).catch((error: unknown) => {
    throw unreadable(error, modelPath, 'model')
  })
  const found = sha256Of(bytes)
  if (found !== modelSha256) {
    throw new EdgesmithError('BUNDLE_CORRUPT', `The model ${modelPath} is not the one that was deployed: its hash differs.`, {
      hint: 'Deploy the model again.',
      details: { expected: modelSha256, found },
    })
  }
  return bytes
}

async function readText(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(error, path, what)
  }
}

function unreadable(error: unknown, path: string, what: string): EdgesmithError {
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  return new EdgesmithError(
    missing ? 'FILE_NOT_FOUND' : 'FILE_UNREADABLE',
    `The service's ${what} ${path} ${missing ? 'does not exist' : 'cannot be read'}.`,
  )
}
