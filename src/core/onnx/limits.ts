/**
 * Limits on what is read from a model file, so that a broken or hostile file costs bounded time and memory.
 * All are far above real models; each says where it comes from.
 */
export const MODEL_LIMITS = {
  /** Protobuf itself ends at 2 GiB − 1; larger models keep their weights in external files. */
  fileBytes: 2 ** 31 - 1,
  /** The largest exported graphs (unrolled language models) have some 50,000. */
  nodes: 200_000,
  /** Protobuf messages in the file: a node with its attributes and its value description is about 10. Each costs some 300 bytes of memory. */
  messages: 1_000_000,
  /** Elements in typed number lists (`float_data`, `int32_data` …): 8 bytes of memory each, large weights use `raw_data` instead. */
  numbers: 2 ** 26,
  /** 64-bit integers (`dims`, `ints`, `int64_data`): every one is a BigInt. */
  integers: 2 ** 23,
  /** Strings and byte strings: names, metadata, vocabularies in `string_data`. */
  strings: 4_000_000,
  /** Message nesting; the limit of Google's own protobuf parser, which ONNX Runtime uses. */
  depth: 100,
  /** Sub-graphs within sub-graphs; real models have 1 or 2. */
  graphDepth: 32,
  /** Dimensions of a tensor; NumPy's limit. ONNX Runtime has kernels up to about 8. */
  rank: 64,
  /** Characters of a node's or tensor's name; exporters that write the whole module path stay below 1,000. */
  nameLength: 10_000,
  /** Inputs or outputs of the whole model; key-value caches of large language models have some 200. */
  ports: 10_000,
  metadataEntries: 10_000,
  /** Characters of all metadata together: label lists and tokenizer files have been seen there. */
  metadataLength: 2 ** 24,
} as const
