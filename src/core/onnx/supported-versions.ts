import type { ModelProto } from 'onnx-buf'
import { CoreError } from '../core-error.ts'

/** Versions that ONNX Runtime 1.30 loads; measured with tiny models of every version (its message names the same limits). */
export const SUPPORTED_VERSIONS = {
  /**
   * Standard operators. Below 7 broadcasting had other rules and most kernels are missing ("Could not find an implementation for Relu(1)").
   */
  opset: { min: 7, max: 26 },
  /** Classical machine learning (`ai.onnx.ml`). */
  mlOpset: { min: 1, max: 5 },
  irVersion: { min: 1, max: 13 },
} as const

/** The standard domain has two spellings. */
export function normalizeDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain
}

/**
 * Versions of the operator sets a model imports, by domain ('' is the standard one).
 * @throws CoreError `MODEL_INVALID` when a domain is imported in two versions, or in an impossible one
 */
export function importedOpsets(model: Pick<ModelProto, 'opsetImport'>): Map<string, number> {
  const opsets = new Map<string, number>()
  for (const { domain, version } of model.opsetImport) {
    const name = normalizeDomain(domain)
    const number = Number(version)
    if (!Number.isSafeInteger(number) || number < 1) {
      throw new CoreError('MODEL_INVALID', `The model imports operator set ${describeDomain(name)} in the impossible version ${version}.`)
    }
    const other = opsets.get(name)
    if (other !== undefined && other !== number) {
      throw new CoreError(
        'MODEL_INVALID',
        `The model imports operator set ${describeDomain(name)} in two versions (${other} and ${number}).`,
      )
    }
    opsets.set(name, number)
  }
  return opsets
}

/**
 * Checks IR version and operator sets against {@link SUPPORTED_VERSIONS}. Other domains are left to the runtime.
 * @throws CoreError `MODEL_UNSUPPORTED_OPSET` with what was found and what is supported
 */
export function checkVersions(model: ModelProto, opsets: ReadonlyMap<string, number>): void {
  const irVersion = Number(model.irVersion)
  const { opset, mlOpset, irVersion: ir } = SUPPORTED_VERSIONS
  if (irVersion > ir.max) throw unsupported('IR version', irVersion, ir, 'Export the model with an older version of the onnx package.')
  const found = opsets.get('') ?? (model.irVersion < 3n ? 1 : undefined)
  if (found !== undefined && (found < opset.min || found > opset.max)) {
    const hint =
      found < opset.min
        ? 'Export the model again with a newer opset, or convert it with onnx.version_converter.convert_version(model, 17).'
        : `Export the model again with opset ${opset.max} or lower (torch.onnx.export(…, opset_version=17)).`
    throw unsupported('opset', found, opset, hint)
  }
  const ml = opsets.get('ai.onnx.ml')
  if (ml !== undefined && ml > mlOpset.max) {
    throw unsupported('ai.onnx.ml opset', ml, mlOpset, `Export the model again with ai.onnx.ml version ${mlOpset.max} or lower.`)
  }
}

function unsupported(what: string, found: number, range: { readonly min: number; readonly max: number }, hint: string): CoreError {
  return new CoreError('MODEL_UNSUPPORTED_OPSET', `The model has ${what} ${found}, supported are ${range.min} to ${range.max}.`, {
    hint,
    details: { found, min: range.min, max: range.max },
  })
}

function describeDomain(domain: string): string {
  return domain === '' ? 'ai.onnx' : JSON.stringify(domain.slice(0, 100))
}
