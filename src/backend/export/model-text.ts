import { plainLine } from '../report/plain-text.ts'
import type { ExportContext } from './exporter.ts'
import type { ServedModelInfo } from './served-model.ts'

/** Rows of a table in a README; models with more inputs, outputs or fields have the rest in openapi.json. */
const mostRows = 60

/** A table of Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const more = rows.length > mostRows ? [`${rows.length - mostRows} more are in \`openapi.json\`.`] : []
  return [line(head), line(head.map(() => '---')), ...rows.slice(0, mostRows).map(line), ...(more.length > 0 ? ['', ...more] : [])].join(
    '\n',
  )
}

/** Text from a model (strangers wrote it) as it may stand in a sentence or a table of Markdown. */
export function markdownText(text: string): string {
  return plainLine(text).replace(/[\\`*_{}[\]<>#|!~&]/g, (character) => `\\${character}`)
}

/** A name from a model as code. */
export function markdownCode(text: string): string {
  return `\`${plainLine(text).replaceAll('`', "'").replaceAll('|', '¦')}\``
}

/** What the model is, takes and gives: a section of every README. */
export function modelSection({ model, release, releaseId, served: { info }, edgesmithVersion }: ExportContext): string {
  const { accuracy, labels, embedding } = release
  const facts = [
    `- model: ${markdownText(model.name)}, ${model.sizeBytes.toLocaleString('en')} bytes, SHA-256 \`${model.sha256}\``,
    `- release: \`${releaseId}\` (answered as \`version\`)`,
    `- written by Edgesmith ${edgesmithVersion}, served by ONNX Runtime ${markdownText(info.onnxruntime_version)}`,
    ...(accuracy === null ? [] : [`- accuracy as measured before: ${(accuracy * 100).toFixed(2)} %`]),
    ...(labels === null
      ? []
      : [`- ${labels.length} classes: ${labels.slice(0, 12).map(markdownText).join(', ')}${labels.length > 12 ? ', …' : ''}`]),
    ...(embedding === null ? [] : [`- ${markdownCode(embedding)} is answered where \`"embedding": true\` asks for it`]),
  ]
  const inputs = info.inputs.map(({ name, type, sample_shape, sent_shape }) => [
    markdownCode(name),
    type,
    shapeText(sent_shape),
    shapeText(sample_shape),
  ])
  const outputs = info.outputs.map(({ name, type, shape }) => [markdownCode(name), type, shapeText(shape)])
  return [
    '## The model',
    facts.join('\n'),
    markdownTable(['input', 'type', 'one sample as it is sent', 'as the model takes it'], inputs),
    markdownTable(['output', 'type', 'shape with batch'], outputs),
    ...fieldsTable(info),
    ...preprocessingText(release.preprocessing),
  ].join('\n\n')
}

/** Names and ranges of single values. */
function fieldsTable({ inputs }: ServedModelInfo): string[] {
  const rows = inputs.flatMap(({ name, fields }) =>
    fields.map((field) => [markdownCode(field.name), markdownCode(name), String(field.index), bound(field.min), bound(field.max)]),
  )
  return rows.length === 0
    ? []
    : [
        'Values by name; those outside their range are refused (422 `OUT_OF_RANGE`):',
        markdownTable(['field', 'input', 'place', 'from', 'to'], rows),
      ]
}

function bound(value: number | null): string {
  return value === null ? '' : String(value)
}

function preprocessingText(preprocessing: object): string[] {
  if (Object.keys(preprocessing).length === 0) return []
  return [
    'Values are preprocessed by the service (`"preprocessed": true` says that they are already):',
    `\`\`\`json\n${JSON.stringify(preprocessing, null, 1)}\n\`\`\``,
  ]
}

function shapeText(dims: readonly (number | string | null)[]): string {
  return `[${dims.map((dim) => (typeof dim === 'number' ? String(dim) : typeof dim === 'string' ? markdownText(dim) : '?')).join(', ')}]`
}

/**
 * How to ask a service: a section of the READMEs of what runs our server.
 * @param address where it listens
 * @param token shell words that give the token
 */
export function askingSection(
  { served: { example, openApi, info } }: ExportContext,
  address: string,
  token: string,
  service: string,
): string {
  const curl = (path: string, rest = '') => `curl -s -H "Authorization: Bearer $TOKEN" ${address}${path}${rest}`
  const body = ` \\\n  -H 'Content-Type: application/json' --data @example-request.json`
  const image = imageType(openApi)
  const lines = [
    `TOKEN=${token}`,
    curl('/health'),
    ...(example === null ? [] : [curl('/predict', body)]),
    ...(image === null ? [] : [`${curl('/predict')} \\\n  -H 'Content-Type: ${image}' --data-binary @picture.${image.split('/')[1]}`]),
    curl('/metrics'),
  ]
  return [
    '## Asking it',
    `\`\`\`sh\n${lines.join('\n')}\n\`\`\``,
    `\`example-request.json\` ${example === null ? 'is missing: no made-up request was taken by the model' : 'was answered with `example-answer.json` when this was written'}. \`openapi.json\` describes every path; a page that renders it is at \`${address}/docs\`.`,
    `Clients of the Open Inference Protocol V2 (KServe, Triton) ask \`${address}/v2/models/${service}/infer\`: the model's own tensors, without preprocessing. Prometheus reads \`/metrics\`.`,
    '## Limits',
    [
      `- a body may have ${info.limits.body_bytes.toLocaleString('en')} bytes, a batch ${info.limits.batch_samples.toLocaleString('en')} samples (413, 422)`,
      '- 512 predictions are worked on together (503 beyond that), each within 60 s (504); `service.json` changes both: `concurrency`, `deadlineMs`',
      '- every request but the page `/docs` itself needs the token, and its `Host` must be a loopback name or one of `network.hosts` in `service.json` (421)',
    ].join('\n'),
  ].join('\n\n')
}

/** A type of picture that `POST /predict` takes as it is; null where it takes none. */
function imageType(openApi: Readonly<Record<string, unknown>>): string | null {
  const content = at(openApi, ['paths', '/predict', 'post', 'requestBody', 'content'])
  if (typeof content !== 'object' || content === null) return null
  return (
    Object.keys(content).find((type) => type === 'image/jpeg') ?? Object.keys(content).find((type) => /^image\/[a-z]+$/.test(type)) ?? null
  )
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
    value,
  )
}
