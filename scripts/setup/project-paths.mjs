import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json. */
export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * Where downloads outlive `npm ci`: EDGESMITH_CACHE_DIR, else the platform's usual place for caches.
 * @param {NodeJS.ProcessEnv} [env]
 * @param {NodeJS.Platform} [platform]
 * @returns {string}
 */
export function cacheDirectory(env = process.env, platform = process.platform) {
  if (env.EDGESMITH_CACHE_DIR) return env.EDGESMITH_CACHE_DIR
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'edgesmith', 'cache')
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'edgesmith')
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'edgesmith')
}
