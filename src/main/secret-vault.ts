import { mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { safeStorage } from 'electron'
import { z } from 'zod'
import { replaceFileSync } from '../platform/durable-files.ts'

const fileSchema = z.record(z.string(), z.string())

/**
 * Passwords, encrypted by the OS key store (safeStorage). Where there is none (Linux without a key ring, where Electron would
 * fall back to a fixed key) they are kept in memory only and asked again after a restart.
 */
export class SecretVault {
  private readonly path: string
  private readonly session = new Map<string, string>()

  constructor(path: string) {
    this.path = path
  }

  get(key: string): string | null {
    const kept = this.session.get(key)
    if (kept !== undefined) return kept
    const encrypted = this.protectedByOs() ? this.read()[key] : undefined
    return encrypted === undefined ? null : safeStorage.decryptString(Buffer.from(encrypted, 'base64'))
  }

  put(key: string, value: string): void {
    this.session.set(key, value)
    if (this.protectedByOs()) this.write({ ...this.read(), [key]: safeStorage.encryptString(value).toString('base64') })
  }

  remove(key: string): void {
    this.session.delete(key)
    const { [key]: removed, ...rest } = this.read()
    if (removed !== undefined) this.write(rest)
  }

  private protectedByOs(): boolean {
    if (!safeStorage.isEncryptionAvailable()) return false
    return process.platform !== 'linux' || safeStorage.getSelectedStorageBackend() !== 'basic_text'
  }

  private read(): Record<string, string> {
    try {
      return fileSchema.parse(JSON.parse(readFileSync(this.path, 'utf8')))
    } catch {
      return {} // No file yet, or a damaged one: passwords are asked again.
    }
  }

  private write(entries: Record<string, string>): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 })
    replaceFileSync(this.path, JSON.stringify(entries))
  }
}
