import type { SecretStore } from '../backend/secret-store.ts'
import { EdgesmithError } from '../contract/errors.ts'

/** Variable with the password of a device that was added in the window, whose key store the command line cannot open. */
export const PASSWORD_VARIABLE = 'EDGESMITH_DEVICE_PASSWORD'

/** The command line's key store: it reads one environment variable and keeps nothing. */
export function environmentSecrets(environment: NodeJS.ProcessEnv): SecretStore {
  return {
    get: async (key) => (key.startsWith('device-password:') ? (environment[PASSWORD_VARIABLE] ?? null) : null),
    put: async () => {
      throw new EdgesmithError('PASSWORD_NEEDED', 'The command line keeps no passwords', {
        hint: 'Put the password into an environment variable and name it with --password-env.',
      })
    },
    remove: async () => undefined,
  }
}
