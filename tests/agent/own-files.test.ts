import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkOwnFiles } from '../../src/agent/own-files.ts'

const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const other = generateKeyPairSync('ed25519')
const otherKey = other.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

let root: string
let runtime: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edgesmith-own-files-'))
  runtime = join(root, 'runtime', 'abc')
  mkdirSync(runtime, { recursive: true })
  writeFileSync(join(root, 'trusted-keys'), `\n${otherKey}\n\n${key}\n`)
  writeFileSync(join(runtime, 'node'), 'a node')
  writeFileSync(join(runtime, 'agent.cjs'), 'console.log(1)')
  writeManifest()
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function writeManifest(changes: object = {}, signer = privateKey): void {
  const files = ['node', 'agent.cjs'].map((name) => {
    const content = readFileSync(join(runtime, name))
    return { name, sha256: createHash('sha256').update(content).digest('hex'), sizeBytes: content.length, executable: name === 'node' }
  })
  const manifest = Buffer.from(JSON.stringify({ version: '1', architecture: 'x64', publicKey: key, files, ...changes }))
  writeFileSync(join(runtime, 'manifest.json'), manifest)
  writeFileSync(join(runtime, 'manifest.sig'), `${sign(null, manifest, signer).toString('base64')}\n`)
}

const untrusted = (file: string) => ({ code: 'AGENT_UNTRUSTED', message: expect.stringContaining(file), details: { file } })

describe('the agent', () => {
  it('finds its files as they were signed', async () => {
    await expect(checkOwnFiles(runtime, key)).resolves.toBeUndefined()
  })

  it.each<[string, string, () => void]>([
    ['a file with other bytes of the same length', 'agent.cjs', () => writeFileSync(join(runtime, 'agent.cjs'), 'console.log(2)')],
    ['a shorter file', 'node', () => truncateSync(join(runtime, 'node'), 3)],
    ['a missing file', 'node', () => rmSync(join(runtime, 'node'))],
    ['a changed manifest', 'manifest.json', () => appendFileSync(join(runtime, 'manifest.json'), ' ')],
    ['a missing manifest', 'manifest.json', () => rmSync(join(runtime, 'manifest.json'))],
    ['a huge manifest', 'manifest.json', () => truncateSync(join(runtime, 'manifest.json'), 2_000_000)],
    ['a missing signature', 'manifest.sig', () => rmSync(join(runtime, 'manifest.sig'))],
    ['a signature of another computer', 'manifest.json', () => writeManifest({}, other.privateKey)],
    ['the manifest of another computer under our signature', 'manifest.json', () => writeManifest({ publicKey: otherKey })],
    ['a manifest that leads elsewhere', 'manifest.json', () => writeManifest({ files: [{ name: '../node', sha256: 'x' }] })],
    ['a device that does not know the key', 'trusted-keys', () => writeFileSync(join(root, 'trusted-keys'), `${otherKey}\n`)],
    ['a device without keys', 'trusted-keys', () => rmSync(join(root, 'trusted-keys'))],
  ])('refuses %s, and names the file', async (_what, file, tamper) => {
    tamper()
    await expect(checkOwnFiles(runtime, key)).rejects.toMatchObject(untrusted(file))
  })

  it('refuses to be asked with something that is no key', async () => {
    await expect(checkOwnFiles(runtime, 'AAAA')).rejects.toMatchObject({ code: 'USAGE' })
  })
})
