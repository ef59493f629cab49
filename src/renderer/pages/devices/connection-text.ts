import type { Device } from '../../../contract/device.ts'
import { plainText } from '../../format/plain-text.ts'
import { formatSshAddress } from './ssh-address.ts'

/** Where a device is reached: its address, or the name in ~/.ssh/config, and the hosts in between. */
export function connectionText(connection: NonNullable<Device['connection']>): string {
  const { configHost, jump } = connection
  const address = plainText(formatSshAddress(connection), 120)
  const named = configHost === null ? address : `${plainText(configHost, 60)} in ~/.ssh/config`
  return jump === null ? named : `${named}, through ${plainText(jump, 120)}`
}
