import type { ExportContext } from '../exporter.ts'
import { markdownText, modelSection } from '../model-text.ts'

/** Release of Triton's images that is named as an example; any of this or a later year reads the file. */
export const TRITON_IMAGE = 'nvcr.io/nvidia/tritonserver:24.08-py3'

export function tritonReadme(context: ExportContext, notes: readonly string[]): string {
  const { service } = context
  return `${[
    `# ${service}: model repository for Triton`,
    `\`model-repository/${service}\` holds version 1 of the model and its \`config.pbtxt\`.`,
    `\`\`\`sh
sha256sum -c SHA256SUMS
docker run --rm -p 8000:8000 -p 8001:8001 -p 8002:8002 \\
  -v "$PWD/model-repository:/models:ro" ${TRITON_IMAGE} tritonserver --model-repository=/models
curl -s localhost:8000/v2/models/${service}/config
\`\`\``,
    `Change \`instance_group\`, \`max_batch_size\` and \`dynamic_batching\` in \`config.pbtxt\` to what the machine can do; with a GPU, \`kind: KIND_GPU\`. A newer model is a folder \`2\` beside \`1\`: \`version_policy\` serves the latest.`,
    '## Worth knowing',
    notes.map((note) => `- ${markdownText(note)}`).join('\n'),
    modelSection(context),
  ].join('\n\n')}\n`
}
