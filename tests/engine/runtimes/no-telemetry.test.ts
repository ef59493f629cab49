import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** Runs a module in a Node process with an empty home directory; answers the files that are in it afterwards. */
async function filesLeftAtHome(script: string): Promise<string[]> {
  const home = mkdtempSync(join(tmpdir(), 'edgesmith-home-'))
  try {
    const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: home },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(0)
    return readdirSync(home, { recursive: true }).map(String)
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

test('a session of ours leaves nothing in the home directory', async () => {
  const script = `
    import { readFileSync } from 'node:fs'
    const { onnxRuntime } = await import('./src/engine/runtimes/onnx-runtime.ts')
    const model = await onnxRuntime.load(readFileSync('models/fashion-cnn.onnx'))
    await model.run({ input: { type: 'float32', dims: [1, 1, 28, 28], values: new Float32Array(784) } })
    await model.close()`
  expect(await filesLeftAtHome(script)).toEqual([])
})
