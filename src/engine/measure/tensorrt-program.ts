import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { EdgesmithError } from '../../contract/errors.ts'
import { readTrtexecHelp, type TrtexecHelp } from '../../core/tensorrt/trtexec-help.ts'
import { type TensorRtVersion, tensorRtVersion, tensorRtVersionText } from '../../core/tensorrt/trtexec-version.ts'
import { findProgram } from '../../platform/find-program.ts'
import { listSystemFolder, type SystemRoot } from '../../platform/system-files.ts'

/** A trtexec that was asked what it can do. */
export interface Trtexec {
  readonly path: string
  /** `undefined` for 7.1 and older. */
  readonly version: TensorRtVersion | undefined
  readonly versionText: string
  readonly help: TrtexecHelp
  /** Environment to run it in. */
  readonly environment: NodeJS.ProcessEnv
}

/** Loading CUDA's libraries from an SD card takes seconds. */
const HELP_TIMEOUT_MS = 60_000
const MOST_HELP_BYTES = 2 ** 20
/** Without these nothing can be built or timed. */
const needed = ['--onnx', '--saveEngine', '--loadEngine', '--exportTimes', '--warmUp', '--duration', '--iterations']

/**
 * Finds trtexec: on PATH, where JetPack installs it, where archives of TensorRT are unpacked.
 *
 * @param root where the fixed places are looked for, for tests
 * @throws EdgesmithError `TENSORRT_MISSING` where there is none, or none that can be used, with what was looked at
 */
export async function findTrtexec(root: SystemRoot, environment: NodeJS.ProcessEnv = process.env): Promise<Trtexec> {
  const found = findProgram('trtexec', environment.PATH ?? '', foldersOf(root))
  if (found === undefined) {
    throw new EdgesmithError(
      'TENSORRT_MISSING',
      'No trtexec was found: not on PATH, in /usr/src/tensorrt/bin or in /usr/local/tensorrt*/bin.',
      {
        hint: 'TensorRT is measured on a Jetson. There JetPack brings it: sudo apt-get install nvidia-jetpack (or tensorrt).',
      },
    )
  }
  const own = withLibraries(found, environment)
  const { text, failure } = await helpText(found, own)
  const help = readTrtexecHelp(text)
  const missing = needed.filter((name) => !help.has(name))
  if (missing.length > 0) {
    throw new EdgesmithError('TENSORRT_MISSING', `${found} cannot be used: its help has no ${missing.slice(0, 3).join(', ')}.`, {
      hint: failure ?? 'Is it the trtexec of TensorRT 7 or later? Run it with --help on the device.',
      details: { trtexec: found, said: text.slice(-1000) },
    })
  }
  const version = tensorRtVersion(text)
  return { path: found, version, versionText: tensorRtVersionText(version), help, environment: own }
}

function foldersOf(root: SystemRoot): string[] {
  return [
    join(root, '/usr/src/tensorrt/bin'),
    ...listSystemFolder(root, '/usr/local', /^tensorrt/i).map((name) => join(root, '/usr/local', name, 'bin')),
    join(root, '/opt/tensorrt/bin'),
  ]
}

/** An unpacked archive has its libraries beside `bin`; those of packages are found without. */
function withLibraries(path: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const folders = [join(dirname(path), '../lib'), environment.LD_LIBRARY_PATH].filter((folder) => folder !== undefined && folder !== '')
  return { ...environment, LD_LIBRARY_PATH: folders.join(':') }
}

/** What `--help` prints; its exit code differs from version to version and says nothing. */
function helpText(path: string, env: NodeJS.ProcessEnv): Promise<{ text: string; failure: string | undefined }> {
  return new Promise((resolve) => {
    execFile(
      path,
      ['--help'],
      { env, timeout: HELP_TIMEOUT_MS, maxBuffer: MOST_HELP_BYTES, killSignal: 'SIGKILL' },
      (error, stdout, stderr) => {
        const text = `${stdout}\n${stderr}`
        // The dynamic loader names the library it lacks.
        const library = /error while loading shared libraries: ([^\n]{1,300})/.exec(text)?.[1]
        resolve({ text, failure: library ?? (error?.killed ? `It did not answer within ${HELP_TIMEOUT_MS / 1000} s.` : undefined) })
      },
    )
  })
}
