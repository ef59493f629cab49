import type { ParsedKey } from 'ssh2'
import { EdgesmithError } from '../contract/errors.ts'
import { mostTries, passphraseQuestion, passphraseSecret, unansweredPassphrase } from './ask-user.ts'
import { type KeyFile, lockedKey, readKeyFile, unlockKeyFile, wrongPassphrase } from './private-key.ts'
import { SingleKeyAgent } from './ssh-agent-keys.ts'
import type { LoginStep, PreparedSteps, SshCredentials, StepContext } from './ssh-auth.ts'

type KeyLogin = Extract<SshCredentials, { method: 'key' }>

/**
 * The step of a key file. A passphrase is asked for as late as possible: where the public half can be read, only when the server would take the key.
 * @throws EdgesmithError KEY_UNREADABLE, unless the key is optional
 */
export async function keySteps(login: KeyLogin, canAsk: boolean): Promise<PreparedSteps> {
  try {
    const file = await readKeyFile(login.keyPath)
    const given = login.passphrase !== undefined && file.key === null ? unlockKeyFile(file, login.passphrase) : null
    const key = file.key ?? given
    if (key === null && !canAsk) throw login.passphrase === undefined ? lockedKey(login.keyPath) : wrongPassphrase(login.keyPath)
    return { steps: [key === null ? lockedStep(login, file) : openStep(login, key)], notes: [] }
  } catch (error) {
    if (!login.optional || !(error instanceof EdgesmithError)) throw error
    return { steps: [], notes: [error.message] }
  }
}

function openStep(login: KeyLogin, key: ParsedKey): LoginStep {
  return { ...stepOf(login, key), make: async () => ({ type: 'publickey', username: '', key }) }
}

function lockedStep(login: KeyLogin, file: KeyFile): LoginStep {
  const { publicKey } = file
  let agent: SingleKeyAgent | null = null
  return {
    ...stepOf(login, publicKey),
    signed: () => agent?.signed ?? false,
    make: async (context) => {
      if (publicKey === null) {
        const key = await askForKey(login, file, context)
        return key && { type: 'publickey', username: '', key }
      }
      agent = new SingleKeyAgent(publicKey, async (content, hash) => {
        const key = await askForKey(login, file, context).catch((error) => {
          context.fail(error)
          throw error
        })
        if (key === null) throw new Error(`${login.keyPath} was not unlocked`)
        const signature = key.sign(content, hash) as Buffer | Error
        if (signature instanceof Error) throw signature
        return signature
      })
      return { type: 'agent', username: '', agent }
    },
  }
}

/**
 * Asks for the passphrase, several times if need be. Null when an optional key stays locked.
 * @throws EdgesmithError QUESTION_UNANSWERED, KEY_UNREADABLE (the wrong one, and no other was given)
 */
async function askForKey(login: KeyLogin, file: KeyFile, { ask, place }: StepContext): Promise<ParsedKey | null> {
  for (let tries = 0; tries < mostTries && ask !== null; tries++) {
    const again = tries > 0 || login.passphrase !== undefined
    const answers = await ask(passphraseQuestion(file.path, place, again), passphraseSecret(file.path), undefined, again)
    if (answers === null) {
      if (login.optional) return null
      throw again ? wrongPassphrase(file.path) : unansweredPassphrase(file.path, place)
    }
    const key = unlockKeyFile(file, answers[0] ?? '')
    if (key !== null) return key
    // As `ssh` does: no answer means the next way to log in.
    if (answers[0] === '' && login.optional) return null
  }
  if (login.optional) return null
  throw wrongPassphrase(file.path)
}

function stepOf({ keyPath }: KeyLogin, key: ParsedKey | null): Omit<LoginStep, 'make'> {
  // A key that an agent offered already is not offered again.
  const proof = key === null ? keyPath : key.getPublicSSH().toString('base64')
  return { method: 'key', what: `the key ${keyPath}`, wire: 'publickey', secondStepOnly: false, proof }
}
