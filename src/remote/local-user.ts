import { userInfo } from 'node:os'

/** Name of the user of this computer; empty for an account that has none (a container that runs under a bare number). */
export function localUserName(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}
