import { EdgesmithError, type ErrorCode } from '../../contract/errors.ts'

/** A kind of message ONNX Runtime refuses a model with; the first that matches decides. */
interface LoadFailure {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly hint: string
}

// Texts of ONNX Runtime 1.30; each has its test in tests/engine/runtimes/onnx-runtime.test.ts.
const LOAD_FAILURES: readonly LoadFailure[] = [
  {
    pattern: /Unsupported model IR version|under development and support for this is limited|Opset .* is not supported/i,
    code: 'MODEL_UNSUPPORTED_OPSET',
    hint: 'Export the model with an older opset (17 to 21 run everywhere).',
  },
  {
    pattern:
      /is not a registered function\/op|No Op registered for|Could not find an implementation for|Failed to find kernel for|No opset import for domain/i,
    code: 'MODEL_UNSUPPORTED_OP',
    hint: 'Export the model with standard ONNX operators in float32, or replace the operator that is named.',
  },
]

/** What ONNX Runtime threw while loading, as a coded error; `details` name node and operator where the message does. */
export function loadError(error: unknown): EdgesmithError {
  const text = cleanMessage(error)
  const { code, hint } = LOAD_FAILURES.find(({ pattern }) => pattern.test(text)) ?? {
    code: 'MODEL_LOAD_FAILED' as const,
    hint: 'Check the file with the tool that made it, for example onnx.checker.check_model.',
  }
  return new EdgesmithError(code, `ONNX Runtime does not load the model: ${text}`, { hint, details: namedIn(text) })
}

/** What ONNX Runtime threw while running, as `MODEL_RUN_FAILED`. */
export function runError(error: unknown): EdgesmithError {
  const text = cleanMessage(error)
  return new EdgesmithError('MODEL_RUN_FAILED', `ONNX Runtime failed while running the model: ${text}`, { details: namedIn(text) })
}

/**
 * ONNX Runtime's message on one line, without the source position and C++ signature of its build machine
 * (`/onnxruntime_src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(…) Unsupported …`).
 */
export function cleanMessage(error: unknown): string {
  let text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim()
  for (let position = SOURCE_POSITION.exec(text); position; position = SOURCE_POSITION.exec(text)) {
    const rest = text.slice(position.index + position[0].length)
    text = `${text.slice(0, position.index)}${rest.slice(signatureLength(rest))}`.trim()
  }
  return text
}

const SOURCE_POSITION = /(?:[A-Za-z]:)?[\\/][^\s:]*\.(?:cc|cpp|h|hpp|inc):\d+ /

/** Characters of a C++ signature at the start of `text`: up to the space after its last balanced parenthesis. */
function signatureLength(text: string): number {
  let depth = 0
  let closed = false
  for (let index = 0; index < text.length; index++) {
    const char = text[index]
    if (char === '(' || char === '<' || char === '[') depth++
    // An arrow ("->") closes nothing.
    else if (char === ')' || char === ']' || (char === '>' && text[index - 1] !== '-')) depth = Math.max(0, depth - 1)
    if (char === ')' && depth === 0) closed = true
    if (char === ' ' && depth === 0 && closed && !/^ (?:const|\[with)\b/.test(text.slice(index))) return index + 1
  }
  return closed ? text.length : 0
}

/** Node and operator named in a message, in the forms ONNX Runtime uses. */
function namedIn(text: string): Record<string, string> {
  const forms: readonly RegExp[] = [
    /implementation for (?<op>[\w.]+)\(-?\d+\) node with name '(?<node>[^']*)'/,
    /Failed to find kernel for (?<op>[\w.]+)\(-?\d+\) \(node:'(?<node>[^']*)'/,
    /In Node, \("(?<node>[^"]*)", (?<op>[\w.]+),/,
    /operator \((?<op>[\w.]+)\) in node \((?<node>[^)]*)\)/,
    /Optype \((?<op>[\w.]+)\) bound to different types .* in node \((?<node>[^)]*)\)/,
    /Node \((?<node>[^)]*)\) Op \((?<op>[\w.]+)\)/,
    /Node:(?<node>\S*) *Output:/,
    /running (?<op>[\w.]+) node\. Name:'(?<node>[^']*)'/,
    /(?<op>[\w.]+:\w+)\(-?\d+\) is not a registered/,
  ]
  for (const form of forms) {
    const groups = form.exec(text)?.groups
    if (groups) return { ...groups }
  }
  return {}
}
