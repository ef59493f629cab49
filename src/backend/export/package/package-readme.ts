import type { ExportContext } from '../exporter.ts'
import { askingSection, modelSection } from '../model-text.ts'
import { SERVICE_PORT } from '../service-files.ts'

export function packageReadme(context: ExportContext): string {
  const { service, architectures } = context
  const address = `http://127.0.0.1:${SERVICE_PORT}`
  const processors = architectures.map((architecture) => (architecture === 'x64' ? 'x86-64' : '64-bit ARM')).join(' or ')
  return `${[
    `# ${service}: a model with its server`,
    `Needs Linux on ${processors} with glibc 2.28 or later and libstdc++; nothing is installed, no network is needed, and nothing outside this folder is written.`,
    `\`\`\`sh
sha256sum -c --quiet SHA256SUMS
./start.sh                 # in the foreground; --background detaches, ./stop.sh stops
\`\`\``,
    `The first start makes the token \`service/token\`, which every request needs. The service listens on this machine only, on port ${SERVICE_PORT}; \`./start.sh --port N\` changes that, \`./start.sh --open box.local,192.168.1.20\` opens it to the network under these names (not encrypted: put a proxy with TLS before it). Settings are in \`service/service.json\`.`,
    `\`${service}.service\` is an example of a unit for systemd that starts it with the machine and again after a crash.`,
    askingSection(context, address, '$(cat service/token)', service),
    modelSection(context),
    '## What is here',
    [
      '- `agent/`: Node.js, ONNX Runtime and the server for each processor',
      '- `service/`: settings, and the release with its model',
      '- `openapi.json`: the exact API, `example-request.json` and `example-answer.json`: a request with what was answered to it',
      '- `LICENSES/`, `manifest.json`, `SHA256SUMS`',
    ].join('\n'),
  ].join('\n\n')}\n`
}
