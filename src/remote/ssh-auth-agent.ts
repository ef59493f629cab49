import { EdgesmithError } from '../contract/errors.ts'
import { readKeyFile, readPublicKey } from './private-key.ts'
import { type AgentKey, listAgentKeys, SingleKeyAgent } from './ssh-agent-keys.ts'
import type { LoginStep, PreparedSteps, SshCredentials } from './ssh-auth.ts'

type AgentLogin = Extract<SshCredentials, { method: 'agent' }>

/**
 * One step for each key of the ssh-agent, those of `identityFiles` first: a server hangs up after a handful of keys.
 * @throws EdgesmithError DEVICE_AUTH_FAILED (no agent, or one without keys), unless it is optional
 */
export async function agentSteps(login: AgentLogin): Promise<PreparedSteps> {
  try {
    const keys = await chosenKeys(login)
    return { steps: keys.map(stepOf), notes: [] }
  } catch (error) {
    if (!login.optional || !(error instanceof EdgesmithError)) throw error
    return { steps: [], notes: [error.message] }
  }
}

function stepOf({ key, sign }: AgentKey): LoginStep {
  let agent: SingleKeyAgent | null = null
  return {
    method: 'agent',
    what: 'the keys of the ssh-agent',
    wire: 'publickey',
    secondStepOnly: false,
    proof: key.getPublicSSH().toString('base64'),
    signed: () => agent?.signed ?? false,
    make: async (context) => {
      agent = new SingleKeyAgent(key, (content, hash) => context.patiently(() => sign(content, hash)))
      return { type: 'agent', username: '', agent }
    },
  }
}

async function chosenKeys({ socketPath = process.env.SSH_AUTH_SOCK, identityFiles = [], identitiesOnly }: AgentLogin): Promise<AgentKey[]> {
  const refuse = (message: string, hint: string) =>
    new EdgesmithError('DEVICE_AUTH_FAILED', message, { hint, details: { tried: 'agent', offered: [] } })
  if (!socketPath) {
    throw refuse(
      'No ssh-agent is running: SSH_AUTH_SOCK is not set',
      'Start one (eval "$(ssh-agent)"; ssh-add), or log in with a key file or a password.',
    )
  }
  const keys = await listAgentKeys(socketPath)
  if (keys.length === 0) throw refuse('The ssh-agent holds no keys', 'Add one: ssh-add ~/.ssh/id_ed25519')
  const named = new Set<string>()
  for (const path of identityFiles) {
    const found =
      (await readPublicKey(`${path}.pub`)) ?? (await readKeyFile(path).catch(() => null))?.publicKey ?? (await readPublicKey(path))
    if (found) named.add(found.getPublicSSH().toString('base64'))
  }
  const isNamed = ({ key }: AgentKey) => named.has(key.getPublicSSH().toString('base64'))
  return [...keys.filter(isNamed), ...(identitiesOnly ? [] : keys.filter((key) => !isNamed(key)))]
}
