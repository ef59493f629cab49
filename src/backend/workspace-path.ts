import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** The folder of the workspace: EDGESMITH_WORKSPACE, or `edgesmith` in the platform's place for application data. */
export function defaultWorkspace(environment: NodeJS.ProcessEnv): string {
  if (environment.EDGESMITH_WORKSPACE) return resolve(environment.EDGESMITH_WORKSPACE)
  const home = homedir()
  switch (process.platform) {
    case 'win32':
      return join(environment.APPDATA ?? join(home, 'AppData', 'Roaming'), 'Edgesmith')
    case 'darwin':
      return join(home, 'Library', 'Application Support', 'Edgesmith')
    default:
      return join(environment.XDG_DATA_HOME || join(home, '.local', 'share'), 'edgesmith')
  }
}
