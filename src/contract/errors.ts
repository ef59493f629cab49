import { CoreError } from '../core/core-error.ts'

/**
 * Every error code that a user or a program can meet, with what it means. Append only: programs rely on the names.
 * Kind decides the command line's exit code: `input` (wrong usage or unusable input) is 2, `work` (the work failed) is 1.
 */
export const errorCatalogue = {
  // What was asked for
  USAGE: { kind: 'input', means: 'the command line or a request is not of the documented form' },
  NOT_FOUND: { kind: 'input', means: 'no model, dataset, device, deployment, run or job has that name' },
  NAME_TAKEN: { kind: 'input', means: 'another entity already has that name' },
  NAME_INVALID: { kind: 'input', means: 'a name is not of the allowed form' },
  IN_USE: { kind: 'input', means: 'the entity is still needed by another one' },
  // Files
  FILE_NOT_FOUND: { kind: 'input', means: 'the file does not exist' },
  FILE_UNREADABLE: { kind: 'input', means: 'the file exists and may not or cannot be read' },
  FILE_NOT_WRITABLE: { kind: 'input', means: 'no right to write at that place' },
  NO_SPACE: { kind: 'work', means: 'the disk is full' },
  TOO_LARGE: { kind: 'input', means: 'a file, array or count is over its limit' },
  // Models
  MODEL_NOT_ONNX: { kind: 'input', means: 'the file is not an ONNX model' },
  MODEL_TRUNCATED: { kind: 'input', means: 'the file ends in the middle of an ONNX model' },
  MODEL_INVALID: { kind: 'input', means: 'the graph breaks a rule of ONNX' },
  MODEL_EXTERNAL_DATA: { kind: 'input', means: 'an external data file is missing, too short or named by an unsafe path' },
  MODEL_UNSUPPORTED_OPSET: { kind: 'input', means: 'the operator set is older or newer than what can be run' },
  MODEL_UNSUPPORTED_OP: { kind: 'input', means: 'the runtime has no such operator for these types' },
  MODEL_LOAD_FAILED: { kind: 'input', means: 'ONNX Runtime refused to load the model' },
  MODEL_RUN_FAILED: { kind: 'work', means: 'ONNX Runtime failed while running the model' },
  MODEL_NOT_CLASSIFIER: { kind: 'input', means: 'no output of the model holds one score for each class' },
  TENSOR_INVALID: { kind: 'input', means: 'a tensor in the model has the wrong type, shape or length' },
  // Datasets
  DATASET_INVALID: { kind: 'input', means: 'the dataset file is broken or of an unknown format' },
  DATASET_EMPTY: { kind: 'input', means: 'the dataset holds no sample' },
  DATASET_ARRAY_MISSING: { kind: 'input', means: 'an array the model needs is not in the dataset' },
  DATASET_SHAPE: { kind: 'input', means: 'an array does not fit the model input' },
  DATASET_TYPE: { kind: 'input', means: 'an array has an element type that does not fit the model input' },
  DATASET_LABELS: { kind: 'input', means: 'labels are missing, of the wrong length or out of range' },
  IMAGE_UNREADABLE: { kind: 'input', means: 'an image file is broken, too large or of a kind that is not read' },
  EVALUATION_IMPOSSIBLE: { kind: 'input', means: 'labels or targets do not fit the outputs of the model, and no baseline was given' },
  // Compression
  RECIPE_INVALID: { kind: 'input', means: 'the recipe or one of its settings is not valid' },
  RECIPE_NOT_APPLICABLE: { kind: 'input', means: 'the recipe cannot do anything for this model' },
  CALIBRATION_NEEDED: { kind: 'input', means: 'the recipe needs calibration data and none was given' },
  BUILD_VERIFICATION_FAILED: { kind: 'work', means: 'the build does not load, or its outputs are not usable' },
  // Jobs
  JOB_CANCELLED: { kind: 'work', means: 'the job was cancelled' },
  JOB_INTERRUPTED: { kind: 'work', means: 'the process that ran the job ended before the job' },
  ENGINE_DIED: { kind: 'work', means: 'the process doing the work ended unexpectedly' },
  MEMORY_LIMIT: { kind: 'work', means: 'the work needed more memory than allowed' },
  BACKEND_DIED: { kind: 'work', means: 'the backend process ended and was started again' },
  // Devices
  DEVICE_UNREACHABLE: { kind: 'work', means: 'no connection to the device' },
  DEVICE_AUTH_FAILED: { kind: 'input', means: 'the device refused the password or key' },
  PASSWORD_NEEDED: { kind: 'input', means: 'the device needs a password and none is stored' },
  KEY_UNREADABLE: { kind: 'input', means: 'the private key file is missing, encrypted without passphrase, or not a key' },
  HOST_KEY_UNKNOWN: { kind: 'input', means: 'the host key was never seen; confirm its fingerprint' },
  HOST_KEY_CHANGED: { kind: 'input', means: 'the host key differs from the one on file; the connection was refused' },
  HOST_KEY_MISMATCH: { kind: 'input', means: 'the host key is not the one that was asked for' },
  DEVICE_UNSUPPORTED: { kind: 'input', means: 'the device cannot run the agent (32-bit, processor or system not supported)' },
  DEVICE_GLIBC_TOO_OLD: { kind: 'input', means: 'the C library of the device is too old for the agent' },
  DEVICE_LIBRARY_MISSING: { kind: 'input', means: 'the device lacks a system library the agent needs' },
  DEVICE_NOEXEC: { kind: 'input', means: 'programs may not run from the home directory of the device' },
  DEVICE_NO_SPACE: { kind: 'input', means: 'not enough free disk on the device' },
  DEVICE_COMMAND_FAILED: { kind: 'work', means: 'a command on the device failed' },
  DEVICE_PROTOCOL: { kind: 'work', means: 'the device answered something that is not of the protocol' },
  CONNECTION_LOST: { kind: 'work', means: 'the connection to the device broke during the work' },
  BUNDLE_CORRUPT: { kind: 'work', means: 'a file of the agent bundle does not have its hash' },
  DEVICE_BUSY: { kind: 'work', means: 'another computer or process is changing the same service on the device' },
  SSH_CONFIG_INVALID: { kind: 'input', means: 'the SSH configuration file cannot be read, or asks for something that is not supported' },
  QUESTION_UNANSWERED: { kind: 'input', means: 'the device asked something and nobody answered' },
  AGENT_UNTRUSTED: { kind: 'work', means: 'the agent on the device is not the one this computer signed' },
  TENSORRT_MISSING: { kind: 'input', means: 'the device has no TensorRT (trtexec) that can be used' },
  TENSORRT_FAILED: { kind: 'work', means: 'trtexec could not build or time the engine' },
  // Serving
  PORT_TAKEN: { kind: 'input', means: 'another program listens on that port' },
  DEPLOY_FAILED: { kind: 'work', means: 'the service did not become healthy' },
  SUDO_NEEDED: { kind: 'input', means: 'a system unit needs root rights that the user of the device does not have without a password' },
  NOT_EXPORTABLE: { kind: 'input', means: 'the model cannot be written in that form' },
  FOLDER_NOT_EMPTY: { kind: 'input', means: 'the folder to write to holds files already' },
  JSON_SCHEMA_UNKNOWN: { kind: 'work', means: 'a JSON schema says something that cannot be checked here' },
  SERVICE_REFUSED: { kind: 'work', means: 'a service answered something else than a prediction' },
  SERVICE_NOT_RUNNING: { kind: 'work', means: 'the service is not running' },
  // Gates, reports
  GATE_FAILED: { kind: 'work', means: 'a limit given for accuracy, latency, speed-up or size was not met' },
  NOT_COMPARABLE: { kind: 'input', means: 'runs of different machines or datasets cannot be compared' },
  REPORT_INVALID: { kind: 'input', means: 'the file is not a report, or of a version that is not known' },
  PDF_FAILED: { kind: 'work', means: 'the program that prints PDF did not start or did not finish' },
  WORKSPACE_INVALID: { kind: 'input', means: 'the workspace was made by a newer version or is damaged' },
  SETUP_INCOMPLETE: { kind: 'work', means: 'something the program needs is not installed' },
} as const satisfies Record<string, { kind: 'input' | 'work'; means: string }>

export type ErrorCode = keyof typeof errorCatalogue

/** An error as it crosses a process, is stored with a job, and is printed by `--json`. */
export interface ErrorReport {
  readonly code: ErrorCode | 'INTERNAL'
  readonly message: string
  readonly hint?: string | undefined
  readonly details?: Readonly<Record<string, unknown>> | undefined
}

/** An error meant for people: code, what happened, what to do. Inside a process it is thrown, across one it travels as {@link ErrorReport}. */
export class EdgesmithError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; details?: Readonly<Record<string, unknown>> | undefined } = {},
  ) {
    super(message)
    this.name = 'EdgesmithError'
    this.code = code
    this.hint = options.hint
    this.details = options.details
  }
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCatalogue, code)
}

/** Any thrown value as a report. Errors of the core and of the file system get their code; a bug becomes `INTERNAL` with its message. */
export function toErrorReport(error: unknown): ErrorReport {
  if (error instanceof EdgesmithError || error instanceof CoreError) {
    const { code, message, hint, details } = error
    return { code: isErrorCode(code) ? code : 'INTERNAL', message, hint, details }
  }
  const system = systemErrorCode(error)
  const message = error instanceof Error ? error.message : String(error)
  if (system) return { code: system, message }
  return { code: 'INTERNAL', message, hint: 'This is a bug in Edgesmith. The log of the job has more.' }
}

/** A report back as an error to throw; `INTERNAL` becomes a plain error again. */
export function fromErrorReport(report: ErrorReport): Error {
  if (report.code === 'INTERNAL') return new Error(report.message)
  return new EdgesmithError(report.code, report.message, { hint: report.hint, details: report.details })
}

/** The catalogue's code for a Node.js file system error (`ENOSPC` and relatives), `undefined` for others. */
function systemErrorCode(error: unknown): ErrorCode | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'NO_SPACE'
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'FILE_NOT_WRITABLE'
    case 'ENOENT':
      return 'FILE_NOT_FOUND'
    case 'EISDIR':
    case 'ENOTDIR':
      return 'FILE_UNREADABLE'
    default:
      return undefined
  }
}
