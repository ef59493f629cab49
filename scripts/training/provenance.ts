import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename } from 'node:path'
import type { LabelledImages } from './fashion-mnist.ts'

/** Where the images come from. */
export const FASHION_MNIST_ORIGIN =
  'Fashion-MNIST by Zalando SE (https://github.com/zalandoresearch/fashion-mnist), from the Debian package dataset-fashion-mnist'

/** The dataset's licence; the notice travels with its images. */
export const FASHION_MNIST_LICENCE = {
  spdx: 'MIT',
  copyright: 'Copyright (c) 2017 Zalando SE',
  notice: 'LICENSE-fashion-mnist.txt',
} as const

/** Hashes of the dataset's files by name. */
export function sourcesOf(...parts: readonly LabelledImages[]): Record<string, { sha256: string }> {
  return Object.fromEntries(parts.flatMap(({ sources }) => sources).map(({ file, sha256 }) => [basename(file), { sha256 }]))
}

/** Versions of what made a file: Node.js and the given packages. */
export function toolVersions(...packages: readonly string[]): Record<string, string> {
  const require = createRequire(import.meta.url)
  const versions = packages.map((name) => [name, packageVersion(require.resolve.paths(name) ?? [], name)] as const)
  return { node: process.versions.node, ...Object.fromEntries(versions) }
}

/** From the package's own package.json, which its `exports` may hide from `require`. */
function packageVersion(folders: readonly string[], name: string): string {
  for (const folder of folders) {
    try {
      return (JSON.parse(readFileSync(`${folder}/${name}/package.json`, 'utf8')) as { version: string }).version
    } catch {
      // Not in this folder; node_modules may be further up.
    }
  }
  throw new Error(`package ${name} is not installed`)
}
