import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { SetupError } from './setup-error.mjs'

/** ONNX Runtime's own way to its native file: a path inside its package, which the device does not have. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is searched for in source code
const nativeRequire = 'require(`../bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`)'
/** The native file lies beside the bundle, and finds its own library there (its run path is $ORIGIN). */
const loadFromBeside =
  "(() => { const native = { exports: {} }; process.dlopen(native, require('node:path').join(__dirname, 'onnxruntime_binding.node')); return native.exports })()"

/**
 * What sharp's own search for its native file becomes. On a device that brings the image library it lies beside the bundle, libvips too;
 * on this computer the packages are found from the bundle's place. Elsewhere there is none, which is found out when an image comes.
 */
const loadSharp = `const { existsSync } = require('node:fs')
const file = require('node:path').join(__dirname, 'sharp.node')
if (existsSync(file)) {
  const native = { exports: {} }
  process.dlopen(native, file)
  module.exports = native.exports
} else {
  module.exports = require('node:module').createRequire(__filename)('@img/sharp-' + process.platform + '-' + process.arch + '/sharp.node')
}
if (process.platform === 'linux' && process.arch === 'x64' && !module.exports._isUsingX64V2()) {
  throw new Error('the processor is too old for it (x86-64-v2 is needed)')
}
`
/** All that sharp asks of its knowledge about platforms once it runs; what else is there helps with installing. */
const sharpPlatform = "module.exports = { runtimePlatformArch: () => process.platform + '-' + process.arch }"

/**
 * Takes the parts of sharp that look for files of its packages out of the bundle.
 * @type {{ name: string, setup: (builder: any) => void }}
 */
const sharpInOneFile = {
  name: 'sharp-in-one-file',
  setup: (builder) => {
    const replacement = (/** @type {string} */ contents) => () => ({ contents, loader: 'js' })
    // As CommonJS: its ES modules ask for their own address, which a bundle does not have.
    builder.onResolve({ filter: /^sharp$/ }, (/** @type {{ resolveDir: string }} */ { resolveDir }) => ({
      path: createRequire(join(resolveDir, 'any.js')).resolve('sharp'),
    }))
    builder.onLoad({ filter: /sharp[\\/]dist[\\/]sharp\.cjs$/ }, replacement(loadSharp))
    builder.onLoad({ filter: /sharp[\\/]dist[\\/]libvips\.cjs$/ }, replacement(sharpPlatform))
    // Lists of version numbers, for people.
    builder.onResolve({ filter: /^@img\/sharp-wasm32/ }, (/** @type {{ path: string }} */ { path }) => ({ path, namespace: 'left-out' }))
    builder.onLoad({ filter: /.*/, namespace: 'left-out' }, replacement('module.exports = {}'))
  },
}

/**
 * Makes the native file load from beside the bundle.
 * @param {string} source onnxruntime-node/dist/binding.js
 * @returns {string}
 * @throws {SetupError} BUILD_FAILED when ONNX Runtime loads it in another way than the one this was written for
 */
export function rewriteNativeRequire(source) {
  const parts = source.split(nativeRequire)
  if (parts.length === 2) return parts.join(loadFromBeside)
  const hint = 'onnxruntime-node has changed: adapt nativeRequire in scripts/setup/agent-bundle.mjs to its dist/binding.js.'
  throw new SetupError(
    'BUILD_FAILED',
    `The agent cannot be bundled: ${parts.length - 1} places load ONNX Runtime's native file instead of 1`,
    hint,
  )
}

/**
 * @param {string} root
 * @param {NodeJS.Platform} [platform]
 * @param {string} [arch]
 * @returns {string} the folder with ONNX Runtime's native files for a platform
 */
export function nativeFolder(root, platform = process.platform, arch = process.arch) {
  return join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', platform, arch)
}

/**
 * Bundles the device's program into one CommonJS file, and puts Swagger UI and this computer's native files beside it, so that it runs in place.
 * @param {string} root
 * @param {string} outFolder gets agent.cjs, the files of Swagger UI and the native files
 * @returns {Promise<void>}
 * @throws {SetupError} BUILD_FAILED
 */
export async function bundleAgent(root, outFolder) {
  const { build } = createRequire(join(root, 'package.json'))('esbuild')
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  let rewritten = 0
  /** @type {SetupError | undefined} */
  let refusal
  const rewrite = {
    name: 'native-file-beside-bundle',
    setup: (/** @type {any} */ builder) =>
      builder.onLoad({ filter: /onnxruntime-node[\\/]dist[\\/]binding\.js$/ }, (/** @type {{ path: string }} */ { path }) => {
        rewritten++
        try {
          return { contents: rewriteNativeRequire(readFileSync(path, 'utf8')), loader: 'js' }
        } catch (error) {
          refusal = /** @type {SetupError} */ (error)
          throw error
        }
      }),
  }
  mkdirSync(outFolder, { recursive: true })
  let result
  try {
    result = await build({
      absWorkingDir: root,
      entryPoints: ['src/agent/agent-entry.ts'],
      outfile: join(outFolder, 'agent.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node22',
      minify: true,
      keepNames: false,
      legalComments: 'eof',
      define: { __EDGESMITH_VERSION__: JSON.stringify(version) },
      metafile: true,
      logLevel: 'silent',
      plugins: [rewrite, sharpInOneFile],
    })
  } catch (error) {
    const errors = /** @type {{ errors?: { text: string, location?: { file: string, line: number } }[] }} */ (error).errors ?? []
    const lines = errors.map(({ text, location }) => (location ? `${location.file}:${location.line}: ${text}` : text))
    throw refusal ?? new SetupError('BUILD_FAILED', 'The agent could not be bundled', lines.join('\n') || String(error))
  }
  if (rewritten !== 1) {
    throw new SetupError(
      'BUILD_FAILED',
      `The agent bundles ONNX Runtime's loader ${rewritten} times instead of once`,
      'See scripts/setup/agent-bundle.mjs.',
    )
  }
  refuseMissingPackages(result.metafile)
  writeSwaggerUi(root, outFolder)
  const native = nativeFolder(root)
  for (const name of readdirSync(native)) linkOrCopy(join(native, name), join(outFolder, name))
}

/**
 * What the page at /docs loads, as it is sent, and the licences of it (their names: src/contract/docs-files.ts).
 * @param {string} root
 * @param {string} outFolder
 */
function writeSwaggerUi(root, outFolder) {
  const read = (/** @type {string} */ name) => readFileSync(join(root, 'node_modules', 'swagger-ui-dist', name), 'utf8')
  const write = (/** @type {string} */ name, /** @type {string | Uint8Array} */ content) => writeFileSync(join(outFolder, name), content)
  for (const name of ['swagger-ui-bundle.js', 'swagger-ui.css']) write(`${name}.gz`, gzipSync(read(name), { level: 9 }))
  write('swagger-ui-licence.txt', ['NOTICE', 'LICENSE', 'swagger-ui-bundle.js.LICENSE.txt'].map(read).join('\n\n'))
}

/**
 * A package that is looked up at run time would be found here and missing on the device.
 * @param {{ outputs: Record<string, { imports: { path: string }[] }> }} metafile
 */
function refuseMissingPackages({ outputs }) {
  const imports = Object.values(outputs).flatMap((output) => output.imports.map(({ path }) => path))
  const foreign = imports.filter((path) => !path.startsWith('node:') && !builtinModules.includes(path))
  if (foreign.length === 0) return
  throw new SetupError(
    'BUILD_FAILED',
    `The agent would need ${foreign.join(', ')} on the device`,
    'Only Node itself, ONNX Runtime and perhaps the image library are there: bundle it or do without.',
  )
}

/**
 * Native libraries have up to 45 MB; a second name for the same file costs nothing.
 * @param {string} from
 * @param {string} to must not exist
 */
function linkOrCopy(from, to) {
  try {
    linkSync(from, to)
  } catch {
    copyFileSync(from, to)
  }
}
