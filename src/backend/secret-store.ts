/** Where passwords are kept: the OS key store behind the window, environment variables behind the command line. Never the database. */
export interface SecretStore {
  get(key: string): Promise<string | null>
  put(key: string, value: string): Promise<void>
  remove(key: string): Promise<void>
}

/** Key of a device's password. */
export function devicePasswordKey(deviceId: string): string {
  return `device-password:${deviceId}`
}

/** Key of the passphrase of a device's key file. */
export function devicePassphraseKey(deviceId: string): string {
  return `device-passphrase:${deviceId}`
}
