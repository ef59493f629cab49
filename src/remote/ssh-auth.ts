import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { type AskUser, mostTries, unanswered } from './ask-user.ts'
import { shownText } from './shown-text.ts'
import { agentSteps } from './ssh-auth-agent.ts'
import { keySteps } from './ssh-auth-key.ts'
import { askedSteps, passwordSteps } from './ssh-auth-password.ts'

/** How to log in, with the secret itself. It stays in memory as long as the link, which may have to connect again. */
export type SshCredentials =
  /** `optional`: where the key cannot be used, the next log-in is tried. */
  | { readonly method: 'key'; readonly keyPath: string; readonly passphrase?: string; readonly optional?: boolean }
  | { readonly method: 'password'; readonly password: string }
  | {
      readonly method: 'agent'
      /** Default: SSH_AUTH_SOCK. */
      readonly socketPath?: string | undefined
      /** Keys tried before the other ones of the agent; by the files of their private or public halves. */
      readonly identityFiles?: readonly string[]
      /** No other ones. */
      readonly identitiesOnly?: boolean
      readonly optional?: boolean
    }
  /** Everything the server asks becomes a question, or its password where it takes only that. */
  | {
      readonly method: 'interactive'
      readonly methods?: readonly ('keyboard-interactive' | 'password')[]
      /** Only where the server wants another proof after one it accepted. */
      readonly secondStepOnly?: boolean
    }

/** What a step may do while it is its turn. */
export interface StepContext {
  /** `user@host:port` */
  readonly place: string
  /** Null where nobody can be asked. The time a person takes does not count as time without an answer. */
  readonly ask: AskUser | null
  /** Waits for something that may need a person (an agent that asks for a PIN), for as long. */
  patiently<T>(work: () => Promise<T>): Promise<T>
  /** Ends the connection with this error. */
  fail(error: unknown): void
}

/** One thing to try on the server. */
export interface LoginStep {
  readonly method: SshCredentials['method']
  /** In words: `the key ~/.ssh/id_rsa`. */
  readonly what: string
  readonly wire: 'publickey' | 'password' | 'keyboard-interactive'
  readonly secondStepOnly: boolean
  /** Steps that prove the same: when one of them was accepted, the others are of no use. */
  readonly proof: unknown
  /** Null when it turns out to be of no use. @throws EdgesmithError when the connection has to end */
  make(context: StepContext): Promise<AnyAuthMethod | null>
  /** Whether the server took the key and got a signature. */
  signed?(): boolean
}

/** Steps of one way to log in, and why there are none or fewer. */
export interface PreparedSteps {
  readonly steps: readonly LoginStep[]
  readonly notes: readonly string[]
}

/** Everything that will be tried, checked as far as that is possible without the server. */
export interface PreparedLogin {
  readonly place: string
  readonly steps: readonly LoginStep[]
  readonly logins: readonly SshCredentials[]
  readonly notes: readonly string[]
}

/** What was tried on one connection. */
export interface LoginAttempt {
  readonly handler: AuthHandlerMiddleware
  /** Methods the server would take, as far as it said so. */
  offered(): readonly string[]
  /** The error for a log-in that the server refused. @param why what ssh2 says */
  refused(why: string): EdgesmithError
}

/**
 * Prepares a log-in: reads key files and asks the agent for its keys.
 * @throws EdgesmithError KEY_UNREADABLE, DEVICE_AUTH_FAILED (no ssh-agent is running), QUESTION_UNANSWERED (only questions are left, and nobody is there)
 */
export async function prepareLogin(place: string, logins: readonly SshCredentials[], ask: AskUser | undefined): Promise<PreparedLogin> {
  const steps: LoginStep[] = []
  const notes: string[] = []
  for (const login of logins) {
    const prepared = await stepsOf(login, ask !== undefined)
    steps.push(...prepared.steps)
    notes.push(...prepared.notes)
  }
  if (ask === undefined && logins.length > 0 && logins.every(({ method }) => method === 'interactive')) throw unanswered(place)
  return { place, steps, logins, notes }
}

function stepsOf(login: SshCredentials, canAsk: boolean): Promise<PreparedSteps> | PreparedSteps {
  switch (login.method) {
    case 'key':
      return keySteps(login, canAsk)
    case 'agent':
      return agentSteps(login)
    case 'password':
      return passwordSteps(login)
    case 'interactive':
      return askedSteps(login)
  }
}

/**
 * Begins to log in on a connection. Each step is tried once at most, in the order given, whenever the server takes its method. A server that
 * wants several proofs (AuthenticationMethods of sshd) gets them one after the other.
 */
export function beginLogin(prepared: PreparedLogin, context: StepContext): LoginAttempt {
  const attempt = new Attempt(prepared, context)
  return {
    handler: (left, partial, proceed) => {
      attempt.next(left as AuthenticationType[] | null, partial === true).then(
        // ssh2's types leave out that false is how a handler gives up.
        (method) => (proceed as (method: AnyAuthMethod | false) => void)(method ?? false),
        (error) => context.fail(error),
      )
    },
    offered: () => attempt.offered,
    refused: (why) => attempt.refused(why),
  }
}

class Attempt {
  offered: readonly string[] = []
  readonly #prepared: PreparedLogin
  readonly #context: StepContext
  readonly #used = new Set<LoginStep>()
  readonly #given = new Set<unknown>()
  readonly #tried: LoginStep[] = []
  #current: LoginStep | null = null
  #accepted = 0
  #nobodyAnswered = false

  constructor(prepared: PreparedLogin, context: StepContext) {
    this.#prepared = prepared
    this.#context = context
  }

  /** @param left what the server takes; null at the first call */
  async next(left: readonly string[] | null, partial: boolean): Promise<AnyAuthMethod | null> {
    const username = this.#prepared.place.slice(0, this.#prepared.place.lastIndexOf('@'))
    // "none" never succeeds but makes the server say what it takes.
    if (left === null) return { type: 'none', username }
    const before = this.offered
    this.offered = left
    const last = this.#current
    this.#current = null
    if (last?.signed?.()) {
      // ssh2 does not tell what the server answered to a key of an agent: ask again what is left.
      this.#current = { ...last, signed: () => false }
      return { type: 'none', username }
    }
    if (last && (partial || (last.signed && before.join() !== left.join()))) {
      this.#accepted++
      this.#given.add(last.proof)
    }
    for (const step of this.#prepared.steps) {
      if (!this.#isDue(step, left)) continue
      this.#used.add(step)
      if (step.method === 'interactive' && this.#context.ask === null) {
        this.#nobodyAnswered ||= this.#accepted > 0
        continue
      }
      const method = await step.make(this.#context)
      if (method === null) continue
      this.#current = step
      this.#tried.push(step)
      return { ...method, username } as AnyAuthMethod
    }
    return null
  }

  #isDue(step: LoginStep, left: readonly string[]): boolean {
    if (this.#used.has(step) || this.#given.has(step.proof) || !left.includes(step.wire)) return false
    // The same key from the agent and from its file.
    if (step.wire === 'publickey' && this.#tried.some(({ proof }) => proof === step.proof)) return false
    return !step.secondStepOnly || this.#accepted > 0
  }

  refused(why: string): EdgesmithError {
    const { place, steps, notes, logins } = this.#prepared
    if (this.#nobodyAnswered) return unanswered(place)
    const relevant = this.#tried.length > 0 ? this.#tried : steps.filter(({ secondStepOnly }) => !secondStepOnly)
    const what = inWords([...new Set(relevant.map((step) => step.what))]) || 'a log-in without key and password'
    const methods = [...new Set(relevant.map(({ method }) => method))]
    const takes = this.offered.map((method) => shownText(method, 40)).join(', ') || 'nothing'
    const more = [why, ...notes].filter((text) => text !== '').map((text) => shownText(text))
    const accepted = this.#accepted > 0 ? ' It wants more than one proof, and took the first.' : ''
    return new EdgesmithError(
      'DEVICE_AUTH_FAILED',
      `${place} refused ${what}${more.length > 0 ? ` (${more.join('; ')})` : ''}; it takes: ${takes}.${accepted}`.replace(/\.$/, ''),
      {
        hint: hintFor(methods[0] ?? logins[0]?.method ?? 'key', this.offered),
        details: { tried: methods.join(', '), offered: [...this.offered] },
      },
    )
  }
}

function inWords(texts: readonly string[]): string {
  return texts.length < 2 ? (texts[0] ?? '') : `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`
}

function hintFor(method: SshCredentials['method'], offered: readonly string[]): string {
  if (method === 'password' || method === 'interactive') {
    return offered.includes('password') || offered.includes('keyboard-interactive')
      ? `Check the user name and the password${method === 'interactive' ? ` (${mostTries} tries were made)` : ''}.`
      : 'The device does not take passwords. Add it with a key.'
  }
  return 'Put the public key on the device: ssh-copy-id, or append it to ~/.ssh/authorized_keys there.'
}
