import { describe, expect, it } from 'vitest'
import { findBreaches } from './layer-check.ts'
import { parseLayerTable } from './layer-table.ts'

const layers = parseLayerTable(`
| layer | holds | may import | packages |
|---|---|---|---|
| src/core | pure | nothing of ours | fflate |
| src/contract | schemas | core | zod |
| src/engine | work | core, contract, engine/runtimes | node |
| src/engine/runtimes | ORT | core, contract | node, onnxruntime-node |
| src/storage | SQLite | core, contract | node, better-sqlite3 |
| src/backend | use cases | core, contract, engine, storage | node |
| src/main | shell | contract | node, electron |
| src/renderer | page | core, contract | react, @mantine/* |
`)

function breachesOf(path: string, text: string): string[] {
  return findBreaches([{ path, text }], layers)
}

describe('findBreaches', () => {
  it('accepts what the table allows', () => {
    const files = [
      { path: 'src/core/tensor.ts', text: "import { zlibSync } from 'fflate'\nexport const day = new Date(0)\nexport const pi = Math.PI" },
      { path: 'src/core/web-globals.d.ts', text: 'declare class TextEncoder {}' },
      { path: 'src/engine/optimize.ts', text: "import { readFile } from 'node:fs/promises'\nimport { load } from './runtimes/load.ts'" },
      { path: 'src/engine/runtimes/load.ts', text: "import { InferenceSession } from 'onnxruntime-node'\nimport '../../core/tensor.ts'" },
      {
        path: 'src/renderer/app.tsx',
        text: "import '@mantine/core/styles.css'\nimport icon from './icon.svg?url'\nexport const App = () => <p>{icon}</p>",
      },
      { path: 'src/renderer/icon.svg', text: '<svg/>' },
    ]
    expect(findBreaches(files, layers)).toEqual([])
  })

  it.each([
    [
      'a layer it may not import',
      'src/renderer/page.ts',
      "\nimport { open } from '../storage/database.ts'",
      'src/renderer/page.ts:2 imports src/storage/database.ts: src/renderer may import core, contract, not storage',
    ],
    [
      'a type of such a layer',
      'src/contract/model.ts',
      "import type { Job } from '../backend/job.ts'",
      'src/contract/model.ts:1 imports src/backend/job.ts: src/contract may import core, not backend',
    ],
    [
      'anything of ours from the lowest layer',
      'src/core/tensor.ts',
      "export { a } from '../contract/names.ts'",
      'src/core/tensor.ts:1 imports src/contract/names.ts: src/core may import nothing of ours, not contract',
    ],
    [
      'a sub-layer it does not name',
      'src/backend/optimize.ts',
      "export * from '../engine/runtimes/load.ts'",
      'src/backend/optimize.ts:1 imports src/engine/runtimes/load.ts: src/backend may import core, contract, engine, storage, not engine/runtimes',
    ],
    [
      'a dynamic import of a wrong layer',
      'src/main/index.ts',
      "const backend = await import('../backend/backend.ts')",
      'src/main/index.ts:1 imports src/backend/backend.ts: src/main may import contract, not backend',
    ],
    [
      'a type import() of a wrong layer',
      'src/main/index.ts',
      "let job: import('../backend/job.ts').Job",
      'src/main/index.ts:1 imports src/backend/job.ts: src/main may import contract, not backend',
    ],
    [
      'a require of a wrong layer',
      'src/main/index.ts',
      "const backend = require('../backend/backend.ts')",
      'src/main/index.ts:1 imports src/backend/backend.ts: src/main may import contract, not backend',
    ],
    [
      'a file outside the layers',
      'src/engine/run.ts',
      "import '../../tests/fixture.ts'",
      'src/engine/run.ts:1 imports tests/fixture.ts: it belongs to no layer',
    ],
    [
      'a package that is not declared',
      'src/engine/run.ts',
      "import zod from 'zod/v4'",
      'src/engine/run.ts:1 imports package zod: src/engine may use no packages',
    ],
    [
      'a scoped package of another scope',
      'src/renderer/page.tsx',
      "import { useQuery } from '@tanstack/react-query'",
      'src/renderer/page.tsx:1 imports package @tanstack/react-query: src/renderer may use react, @mantine/*',
    ],
    [
      'electron outside the shell',
      'src/renderer/page.ts',
      "import type { IpcRenderer } from 'electron'",
      'src/renderer/page.ts:1 imports package electron: src/renderer may use react, @mantine/*',
    ],
    [
      'electron through a sub-path',
      'src/backend/job.ts',
      "import { app } from 'electron/main'",
      'src/backend/job.ts:1 imports package electron: src/backend may use no packages',
    ],
    [
      'ONNX Runtime outside engine/runtimes',
      'src/engine/run.ts',
      "const { InferenceSession } = await import('onnxruntime-node')",
      'src/engine/run.ts:1 imports package onnxruntime-node: src/engine may use no packages',
    ],
    [
      'ONNX Runtime through createRequire',
      'src/backend/run.ts',
      "import { createRequire } from 'node:module'\nconst load = createRequire(import.meta.url)\nload('onnxruntime-node')",
      'src/backend/run.ts:3 imports package onnxruntime-node: src/backend may use no packages',
    ],
    [
      'ONNX Runtime through createRequire called at once',
      'src/backend/run.ts',
      "import * as nodeModule from 'node:module'\nnodeModule.createRequire(import.meta.url)('onnxruntime-node')",
      'src/backend/run.ts:2 imports package onnxruntime-node: src/backend may use no packages',
    ],
    [
      'an import assignment',
      'src/storage/keys.ts',
      "import ssh = require('ssh2')",
      'src/storage/keys.ts:1 imports package ssh2: src/storage may use better-sqlite3',
    ],
    [
      'a reference comment',
      'src/core/tensor.ts',
      '/// <reference types="node" />',
      'src/core/tensor.ts:1 imports package node: src/core may use fflate',
    ],
    [
      'Node.js where it is not allowed',
      'src/contract/hash.ts',
      "import { createHash } from 'node:crypto'",
      'src/contract/hash.ts:1 imports node:crypto: src/contract may not use Node.js built-ins',
    ],
    ['a built-in without its prefix', 'src/engine/run.ts', "import 'fs'", 'src/engine/run.ts:1 imports fs: write node:fs'],
    [
      'a computed module',
      'src/engine/run.ts',
      'await import(name)',
      'src/engine/run.ts:1 imports a computed module: name it, so that it can be checked',
    ],
    [
      'an absolute path',
      'src/engine/run.ts',
      "import '/opt/tool.js'",
      'src/engine/run.ts:1 imports /opt/tool.js: only relative paths and packages',
    ],
    [
      'a relative import without extension',
      'src/engine/run.ts',
      "import { a } from './other'",
      'src/engine/run.ts:1 imports ./other: relative imports carry their extension',
    ],
    [
      'a default export',
      'src/engine/run.ts',
      '\n\nexport default function run() {}',
      'src/engine/run.ts:3 has a default export: exports are named',
    ],
    [
      'a default export by name',
      'src/engine/run.ts',
      'const run = 1\nexport { run as default }',
      'src/engine/run.ts:2 has a default export: exports are named',
    ],
    ['a file name that is not kebab-case', 'src/engine/runJob.ts', '', 'src/engine/runJob.ts: file names are kebab-case'],
    ['a folder without a layer', 'src/misc/run.ts', '', 'src/misc/run.ts: belongs to no layer of the table'],
  ])('reports %s', (_name, path, text, breach) => {
    expect(breachesOf(path, text)).toContain(breach)
  })

  it.each([
    ['Date.now()', 'Date.now'],
    ["Date['now']()", 'Date.now'],
    ['new Date()', 'new Date()'],
    ['const clock = Date', 'Date as a value'],
    ['Math.random()', 'Math.random'],
    ["Math['random']()", 'Math.random'],
    ['Math[name]()', 'Math with a computed name'],
    ['const { random } = Math', 'Math as a value'],
    ['process.env.HOME', 'process'],
    ['type P = typeof process', 'process'],
    ["Buffer.from('')", 'Buffer'],
    ['let b: Buffer', 'Buffer'],
    ['setTimeout(run, 1)', 'setTimeout'],
    ["fetch('')", 'fetch'],
    ['globalThis.process', 'globalThis'],
    ['performance.now()', 'performance'],
    ['crypto.randomUUID()', 'crypto'],
    ['const record = { crypto }', 'crypto'],
    ["console.log('')", 'console'],
    ["eval('')", 'eval'],
    ["new Function('')", 'Function'],
    ['function run(process: string) {}', 'process'],
  ])('reports %s in core', (text, what) => {
    expect(breachesOf('src/core/tensor.ts', text)).toContain(
      `src/core/tensor.ts:1 uses ${what}: src/core has no clock, no randomness and no surroundings`,
    )
    expect(breachesOf('src/engine/run.ts', text).filter((line) => line.includes(' uses '))).toEqual([])
  })

  it.each([
    'graph.process(node)',
    'const table = { fetch: 1, crypto() {} }',
    'class Queue { process() {} }',
    'interface Shape { window: number; fetch(): void }',
    'new Date(86_400_000)',
    'Date.UTC(2020, 1)',
    'Math.max(1, 2)',
    'let when: Date',
  ])('takes %s in core for what it is', (text) => {
    expect(breachesOf('src/core/tensor.ts', text)).toEqual([])
  })

  it('follows chains of allowed imports to packages that must not be loaded', () => {
    const files = [
      { path: 'src/backend/optimize.ts', text: "import { run } from '../engine/run.ts'" },
      { path: 'src/engine/run.ts', text: "export { load } from './runtimes/load.ts'" },
      { path: 'src/engine/runtimes/load.ts', text: "import 'onnxruntime-node'" },
    ]
    const forbidden = [{ layer: 'backend', packages: ['onnxruntime-node'] }]
    expect(findBreaches(files, layers, { forbidden })).toEqual([
      'src/backend must not reach onnxruntime-node at run time: src/backend/optimize.ts → src/engine/run.ts → src/engine/runtimes/load.ts → onnxruntime-node',
    ])
    const [first, ...rest] = files
    const typed = { path: first?.path ?? '', text: "import type { Run } from '../engine/run.ts'" }
    expect(findBreaches([typed, ...rest], layers, { forbidden })).toEqual([])
  })

  it('lets only listed files compute what they import, and only while they do', () => {
    const path = 'src/engine/run.ts'
    const computed = { path, text: 'await import(name)' }
    expect(findBreaches([computed], layers, { computedImports: [path] })).toEqual([])
    expect(findBreaches([{ path, text: '' }], layers, { computedImports: [path] })).toEqual([
      'src/engine/run.ts: has no computed import any more, take it off the list',
    ])
  })

  it('refuses a file it cannot parse instead of passing it', () => {
    expect(() => breachesOf('src/core/tensor.ts', 'const = 1')).toThrow(/^src\/core\/tensor\.ts: /)
  })
})
