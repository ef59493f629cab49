import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { integrityOf } from './fixture-archives.ts'

/** A package the registry gives out. `integrity` may be a lie. */
export interface ServedPackage {
  readonly name: string
  readonly version: string
  readonly tarball: Buffer
  readonly integrity?: string
}

/** A registry (or any other server) on a loopback port, and npm's environment for it. */
export interface FixtureServer {
  readonly url: string
  /** Paths that were asked for. */
  readonly requests: string[]
  readonly close: () => Promise<void>
}

/** Serves bytes by path; undefined is a 404, a promise that never settles is a server that never answers. */
export async function serve(answer: (path: string, url: string) => Buffer | undefined | Promise<never>): Promise<FixtureServer> {
  const requests: string[] = []
  let url = ''
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    requests.push(path)
    void Promise.resolve(answer(path, url)).then((body) => (body ? response.end(body) : response.writeHead(404).end()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url, requests, close }
}

/** As much of npm's registry protocol as installing needs. */
export function serveRegistry(packages: readonly ServedPackage[]): Promise<FixtureServer> {
  return serve((path, url) => {
    for (const { name, version, tarball, integrity = integrityOf(tarball) } of packages) {
      const file = `/${name}/-/${name.replace(/^.*\//, '')}-${version}.tgz`
      if (path === file) return tarball
      const dist = { tarball: `${url}${file}`, integrity }
      if (path === `/${name}`)
        return Buffer.from(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { name, version, dist } } }))
    }
    return undefined
  })
}

/** A port where nobody listens: what a missing network looks like, without waiting for it. */
export async function closedRegistry(): Promise<string> {
  const server = await serve(() => undefined)
  await server.close()
  return server.url
}

/** npm's environment for a fixture registry: no retries, nothing of the user's cache. */
export function npmEnvironment(registry: string, folder: string): NodeJS.ProcessEnv {
  return { ...process.env, npm_config_registry: registry, npm_config_cache: join(folder, 'npm-cache'), npm_config_fetch_retries: '0' }
}
