import { readFile, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import ssh2, { type AnyAuthMethod, type AuthenticationType, type AuthHandlerMiddleware } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { shownText } from './shown-text.ts'

/** How to log in, with the secret itself; it is kept in memory only for as long as the connection is being made. */
export type SshCredentials =
  | { readonly method: 'key'; readonly keyPath: string }
  | { readonly method: 'password'; readonly password: string }
  /** `socketPath` defaults to SSH_AUTH_SOCK. */
  | { readonly method: 'agent'; readonly socketPath?: string | undefined }

/** An RSA key of 16384 bits is 13 kB; a file beyond this is something else. */
const largestKeyFile = 65_536

/** One attempt to log in: what to try, and what came of it so far. */
export interface LoginAttempt {
  readonly handler: AuthHandlerMiddleware
  /** What was tried, in words. */
  readonly tried: string
  /** Methods the server would take, as far as it said so. */
  offered(): readonly string[]
}

/**
 * Prepares a log-in.
 * @throws EdgesmithError KEY_UNREADABLE, DEVICE_AUTH_FAILED (no ssh-agent is running)
 */
export async function prepareLogin(user: string, credentials: SshCredentials): Promise<LoginAttempt> {
  const attempts = await authMethods(user, credentials)
  let offered: readonly string[] = []
  let next = 0
  const handler: AuthHandlerMiddleware = (methodsLeft, _partial, proceed) => {
    // ssh2's types leave out that the first call has no list, and that false is how a handler gives up.
    const left = methodsLeft as AuthenticationType[] | null
    if (left !== null) offered = left
    // "none" never succeeds but makes the server say what it takes.
    if (left === null) return proceed({ type: 'none', username: user })
    const attempt = attempts.slice(next).find((method) => offered.includes(method.type === 'agent' ? 'publickey' : method.type))
    if (attempt === undefined) return (proceed as unknown as (end: false) => void)(false)
    next = attempts.indexOf(attempt) + 1
    proceed(attempt)
  }
  const tried =
    credentials.method === 'key'
      ? `the key ${credentials.keyPath}`
      : credentials.method === 'agent'
        ? 'the keys of the ssh-agent'
        : 'the password'
  return { handler, tried, offered: () => offered }
}

async function authMethods(username: string, credentials: SshCredentials): Promise<AnyAuthMethod[]> {
  switch (credentials.method) {
    case 'key':
      return [{ type: 'publickey', username, key: await readPrivateKey(credentials.keyPath) }]
    case 'password': {
      const { password } = credentials
      let asked = 0
      return [
        { type: 'password', username, password },
        {
          type: 'keyboard-interactive',
          username,
          // Only hidden prompts, and only in the first round, get the password: anything else asks for something we do not have.
          prompt: (_name, _instructions, _language, prompts, finish) => {
            asked++
            finish(prompts.map((prompt) => (asked === 1 && prompt.echo !== true ? password : '')))
          },
        },
      ]
    }
    case 'agent': {
      const agent = credentials.socketPath ?? process.env.SSH_AUTH_SOCK
      if (!agent) {
        throw new EdgesmithError('DEVICE_AUTH_FAILED', 'No ssh-agent is running: SSH_AUTH_SOCK is not set', {
          hint: 'Start one (eval "$(ssh-agent)"; ssh-add), or log in with a key file or a password.',
          details: { tried: 'agent', offered: [] },
        })
      }
      return [{ type: 'agent', username, agent }]
    }
  }
}

/**
 * Reads a private key file (OpenSSH, PEM or PuTTY format).
 * @throws EdgesmithError KEY_UNREADABLE: missing, not readable, encrypted, a public key, not a key at all
 */
async function readPrivateKey(path: string): Promise<Buffer> {
  const refuse = (what: string, hint: string) => new EdgesmithError('KEY_UNREADABLE', `${path} ${what}`, { hint, details: { path } })
  let content: Buffer
  try {
    const found = await stat(path)
    if (!found.isFile()) throw refuse('is not a file', 'Give the path of the private key file, for example ~/.ssh/id_ed25519.')
    if (found.size > largestKeyFile) throw refuse('is too large to be a key', 'Give the path of the private key file.')
    content = await readFile(path)
  } catch (error) {
    if (error instanceof EdgesmithError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw refuse('does not exist', 'Give the path of an existing private key, or make one: ssh-keygen -t ed25519')
    }
    throw refuse(`cannot be read: ${(error as Error).message}`, `It must be readable for the user ${userInfo().username}.`)
  }
  const key = ssh2.utils.parseKey(content)
  if (key instanceof Error) {
    if (/encrypted|passphrase/i.test(key.message)) {
      throw refuse('is protected by a passphrase', `Add it to the ssh-agent (ssh-add ${path}) and log in through the agent.`)
    }
    throw refuse('is not a private key', `It could not be read as OpenSSH, PEM or PuTTY key: ${shownText(key.message)}`)
  }
  if (!key.isPrivateKey()) throw refuse('is a public key', `The private key is needed: ${path.replace(/\.pub$/, '')}`)
  return content
}
