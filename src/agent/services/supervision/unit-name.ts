import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { sha256Of } from '../../../platform/file-hash.ts'

/** Name of the user whose service it is. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}

/** Name of a service's unit: two users, or two places of one user, may have services of the same name. */
export function unitName(root: string, service: string): string {
  const user = userName().replace(/[^\w.-]/g, '-')
  const place = root === join(homedir(), '.edgesmith') ? '' : `-${sha256Of(root).slice(0, 6)}`
  return `edgesmith-${user}-${service}${place}.service`
}
