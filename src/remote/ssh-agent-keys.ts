import ssh2, { type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { shownText } from './shown-text.ts'

/** An agent on this computer answers at once; one that does not hangs. */
const listTimeoutMs = 5000
/** Signing may wait for a person who confirms it or types a PIN; a server waits two minutes. */
const signTimeoutMs = 120_000

type SignFunction = (content: Buffer, hash: string | undefined) => Promise<Buffer>

/** A key that an agent holds. */
export interface AgentKey {
  readonly key: ParsedKey
  readonly sign: SignFunction
}

/**
 * One key whose private half is elsewhere, in the form ssh2 takes: it is offered to the server first, and `sign` is called only when the
 * server would take it. ssh2 tries all keys of an agent in one go and then loses track of a first proof that was accepted
 * (`partial success`), so every key of an agent becomes one of these.
 */
export class SingleKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly key: ParsedKey
  /** The server took the key, and a signature was sent. */
  signed = false
  readonly #sign: SignFunction

  constructor(key: ParsedKey, sign: SignFunction) {
    super()
    this.key = key
    this.#sign = sign
  }

  getIdentities(done: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    done(undefined, [this.key])
  }

  sign(_key: ParsedKey, data: Buffer, options: SigningRequestOptions | SignCallback, callback?: SignCallback): void {
    const done = typeof options === 'function' ? options : callback
    const hash = typeof options === 'function' ? undefined : options.hash
    this.#sign(data, hash).then(
      (signature) => {
        this.signed = true
        done?.(null, signature)
      },
      (error: Error) => done?.(error),
    )
  }
}

/**
 * The keys an ssh-agent holds, in its order. Kinds that ssh2 does not know (certificates, security keys) are left out.
 * @throws EdgesmithError DEVICE_AUTH_FAILED: no agent listens there, or it does not answer
 */
export async function listAgentKeys(socketPath: string): Promise<AgentKey[]> {
  const agent = ssh2.createAgent(socketPath)
  const keys = await answerOf<unknown[]>(listTimeoutMs, (done) => agent.getIdentities(done)).catch((error: Error) => {
    throw new EdgesmithError(
      'DEVICE_AUTH_FAILED',
      `The ssh-agent at ${shownText(socketPath)} cannot be asked: ${shownText(error.message)}`,
      {
        hint: 'Start one (eval "$(ssh-agent)"; ssh-add), or log in with a key file or a password.',
        details: { tried: 'agent', offered: [] },
      },
    )
  })
  return keys.filter(isParsedKey).map((key) => ({
    key,
    sign: (content, hash) =>
      answerOf<Buffer>(signTimeoutMs, (done) =>
        agent.sign(key, content, (hash === undefined ? {} : { hash }) as SigningRequestOptions, done),
      ),
  }))
}

function answerOf<T>(timeoutMs: number, ask: (done: (error?: Error | null, answer?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    ask((error, answer) => {
      clearTimeout(timer)
      if (answer === undefined) reject(error ?? new Error('an empty answer'))
      else resolve(answer)
    })
  })
}

function isParsedKey(key: unknown): key is ParsedKey {
  return typeof key === 'object' && key !== null && !(key instanceof Error) && 'getPublicSSH' in key
}
