import type { ModelProto } from 'onnx-buf'
import { PREPROCESSING_KEY, parsePreprocessing } from '../../contract/carried-preprocessing.ts'
import type { Preprocessing } from '../../contract/dataset.ts'

/** Names and element types of a model's inputs. */
export type InputTypes = ReadonlyMap<string, number>

/** The inputs of a model as {@link carryPreprocessing} compares them. */
export function inputTypes({ graph }: ModelProto): InputTypes {
  return new Map(graph?.input.map(({ name, type }) => [name, type?.value.case === 'tensorType' ? type.value.value.elemType : 0]) ?? [])
}

/**
 * Writes the preprocessing of its calibration data into a build; without any, what the source carried stays. A build with inputs its
 * source does not have (cut out of the middle) carries none, because it would mean other inputs; where the element type of inputs was
 * changed, `dtype` is left out.
 *
 * @param source inputs of the model the build was made of
 * @param given preprocessing of the dataset that the build was made with
 */
export function carryPreprocessing(build: ModelProto, source: InputTypes, given: Preprocessing | undefined): void {
  const old = build.metadataProps.find(({ key }) => key === PREPROCESSING_KEY)
  const carried = given ?? (old && parsePreprocessing(old.value))
  if (!carried) return
  const inputs = inputTypes(build)
  build.metadataProps = build.metadataProps.filter((entry) => entry !== old)
  if ([...inputs.keys()].some((name) => !source.has(name))) return
  const { dtype, ...rest } = carried
  const sameTypes = [...inputs].every(([name, type]) => source.get(name) === type)
  const value = JSON.stringify(sameTypes && dtype !== undefined ? { ...rest, dtype } : rest)
  build.metadataProps.push({ $typeName: 'onnx.StringStringEntryProto', key: PREPROCESSING_KEY, value })
}
