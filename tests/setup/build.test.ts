import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ensureBuilt } from '../../scripts/build.mjs'
import { nativeFolder, rewriteNativeRequire } from '../../scripts/setup/agent-bundle.mjs'
import { nodePath } from '../../scripts/setup/node-runtime.mjs'
import { projectRoot } from '../../scripts/setup/project-paths.mjs'
import './quiet-progress.ts'
import { docsFiles } from '../../src/contract/docs-files.ts'
import { temporaryFolder, writeFiles } from './temporary-folder.ts'

const agentSource = "import { Tensor } from 'onnxruntime-node'\nconsole.log('agent', new Tensor('float32', [1, 2], [2]).size)\n"

/** A project with the real configuration and tools, and a few lines of source for each entry. */
function project(): string {
  const root = temporaryFolder()
  writeFiles(root, {
    'package.json': {
      name: 'fixture',
      version: '1.2.3',
      type: 'module',
      main: './out/main/index.js',
      dependencies: { 'onnxruntime-node': '*' },
    },
    'package-lock.json': {},
    'electron.vite.config.ts': readFileSync(join(projectRoot, 'electron.vite.config.ts'), 'utf8'),
    'src/main/index.ts': "console.log('main')\n",
    'src/backend/backend-entry.ts': "console.log('backend')\n",
    'src/engine/engine-entry.ts': "import { Tensor } from 'onnxruntime-node'\nconsole.log(Tensor.name)\n",
    'src/cli/cli-entry.ts': "console.log('cli')\n",
    'src/preload/index.ts': "console.log('preload')\n",
    'src/renderer/index.html': '<!doctype html><script type="module" src="./renderer-entry.tsx"></script>\n',
    'src/renderer/renderer-entry.tsx': 'document.body.textContent = "page"\n',
    'src/agent/agent-entry.ts': agentSource,
  })
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'))
  return root
}

function run(root: string, file: string): string {
  return spawnSync(nodePath(), [join(root, 'out', file)], { encoding: 'utf8', cwd: root }).stdout
}

describe('ensureBuilt', () => {
  test('builds once, then only after a change, and keeps the old build when the new one fails', async () => {
    const root = project()
    expect(await Promise.all([ensureBuilt(nodePath(), { root }), ensureBuilt(nodePath(), { root })])).toEqual(['built', 'unchanged'])
    expect(readdirSync(join(root, 'out')).sort()).toEqual(['.build-stamp', 'agent', 'main', 'preload', 'renderer'])
    expect(run(root, 'main/cli.js')).toBe('cli\n')
    expect(run(root, 'main/engine.js')).toBe('Tensor\n')
    expect(existsSync(join(root, 'out/preload/index.cjs'))).toBe(true)

    // The agent runs in place: Swagger UI and its native files lie beside it.
    expect(readdirSync(join(root, 'out/agent')).sort()).toEqual(
      ['agent.cjs', ...Object.values(docsFiles), ...readdirSync(nativeFolder(projectRoot))].sort(),
    )
    expect(run(root, 'agent/agent.cjs')).toBe('agent 2\n')
    expect(readFileSync(join(root, 'out/agent/agent.cjs'), 'utf8')).not.toContain('napi-v6')

    const entry = join(root, 'src/cli/cli-entry.ts')
    utimesSync(entry, 1, 1)
    expect(await ensureBuilt(nodePath(), { root })).toBe('unchanged')
    writeFileSync(entry, "console.log('new')\n")
    expect(await ensureBuilt(nodePath(), { root })).toBe('built')
    expect(run(root, 'main/cli.js')).toBe('new\n')

    writeFileSync(entry, "import './missing.ts'\n")
    await expect(ensureBuilt(nodePath(), { root })).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      hint: expect.stringContaining('missing.ts'),
    })
    expect(run(root, 'main/cli.js')).toBe('new\n')
    expect(readdirSync(join(root, 'out')).sort()).toEqual(['.build-stamp', 'agent', 'main', 'preload', 'renderer'])
  })

  test('refuses an agent that would need a package on the device', async () => {
    const root = project()
    writeFileSync(join(root, 'src/agent/agent-entry.ts'), `${agentSource}import './not-there.ts'\n`)
    await expect(ensureBuilt(nodePath(), { root })).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      hint: expect.stringContaining('not-there.ts'),
    })
    writeFileSync(join(root, 'src/agent/agent-entry.ts'), "console.log('no runtime')\n")
    await expect(ensureBuilt(nodePath(), { root })).rejects.toMatchObject({
      code: 'BUILD_FAILED',
      message: expect.stringContaining('0 times'),
    })
    expect(existsSync(join(root, 'out/agent'))).toBe(false)
  })
})

test("ONNX Runtime's loader is still the one that the build rewrites", () => {
  const source = readFileSync(join(projectRoot, 'node_modules/onnxruntime-node/dist/binding.js'), 'utf8')
  expect(rewriteNativeRequire(source)).toContain("process.dlopen(native, require('node:path').join(__dirname, 'onnxruntime_binding.node'))")
  expect(() => rewriteNativeRequire(source.replace('napi-v6', 'napi-v7'))).toThrow('0 places')
})
